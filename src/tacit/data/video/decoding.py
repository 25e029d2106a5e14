"""A few frames of a video file, found by seeking (PyAV): never more of it is decoded than lies around them."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tacit.data.decoding import LIMIT, Unreadable
from tacit.errors import TacitError

SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv"))
UNEVEN = 0.05  # the share of intervals between frames that may be off by half before a frame rate counts as variable
TIMED = 300  # packets whose times are read, undecoded, of a file that has no index of them
MISSING = 3  # frames by which a header may overstate a video


class Header(NamedTuple):
    """What is known of a video before its frames are asked for."""

    frames: int
    height: int  # upright
    width: int
    rate: float  # frames per second; 0 where nothing says
    channels: int  # 1 of grey, 3 of colour
    form: str  # the container and the codec, or the type of an array


def header(path: Path) -> Header:
    """The header of a video file, whose first and last frame are decoded to see that they are there; raises Unreadable."""
    with _opened(path) as (container, stream):
        rate = _rate(stream)
        span = stream.duration * stream.time_base if stream.duration else Fraction(container.duration or 0, 10**6)
        frames = round(span * rate)
        if frames < 1:
            raise Unreadable("it holds no frame")
        first = next(_after(container, stream, rate, 0), None)
        if first is None:
            raise Unreadable("none of its frames can be decoded")
        last = max((place for place, _ in _after(container, stream, rate, frames - 1)), default=0)
        if last < frames - 1 - MISSING:
            raise Unreadable(
                f"it breaks off: its header claims {frames:,} frames and the last one found is number {last + 1:,}"
            )
        if (uneven := _uneven(container, stream)) > UNEVEN:
            raise Unreadable(f"its frame rate is variable ({uneven:.0%} of the intervals between frames are off by half)")
        height, width = _upright(first[1], None, "gray").shape[:2]
        channels = 1 if stream.format is not None and stream.format.name.startswith("gray") else 3
        return Header(frames, height, width, float(rate), channels, f"{container.format.name.split(',')[0]}/{stream.name}")


def frames(path: Path, places: np.ndarray, side: int, channels: int) -> np.ndarray:
    """The frames shown at these places (whole numbers of frames from the start, in any order): uint8, t × h × w × channels.

    Decoding begins at the last key frame before the first of them and ends at the last of them. Frames are upright, with a
    short side of at most `side`. Where the file lacks a frame the one before it is shown. Raises Unreadable.
    """
    wanted, where = np.unique(places, return_inverse=True)
    shown: list[Any] = []
    with _opened(path) as (container, stream):
        before = None
        for place, frame in _after(container, stream, _rate(stream), int(wanted[0])):
            while len(shown) < len(wanted) and place > wanted[len(shown)]:
                shown.append(frame if before is None else before)
            before = frame
            if place >= wanted[-1]:
                break
        if before is None:
            raise Unreadable(f"none of its frames from number {wanted[0] + 1:,} on can be decoded")
        shown += [before] * (len(wanted) - len(shown))
        form, done = "gray" if channels == 1 else "rgb24", {}
        for frame in shown:
            if id(frame) not in done:
                done[id(frame)] = _upright(frame, side, form)
    return np.stack([done[id(frame)] for frame in shown])[where.reshape(-1)]


def shrunk(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width for a short side of at most `side`."""
    scale = min(1.0, side / min(height, width))
    return max(round(height * scale), 1), max(round(width * scale), 1)


def decode(packet: Any) -> list[Any]:
    """The frames that a packet completes."""
    return packet.decode()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container and its first video stream, decoded by one thread (many files are decoded at once)."""
    av = library()
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise Unreadable("it holds no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise Unreadable("its codec is unknown")
            if stream.width * stream.height > LIMIT:
                raise Unreadable(f"its header claims frames of more than {LIMIT // 10**6} million pixels")
            stream.codec_context.thread_count = 1
            yield container, stream
    except av.error.EOFError:
        raise Unreadable("it ends before its first frame") from None
    except av.error.FFmpegError as error:
        raise Unreadable(_why(path, error.strerror or type(error).__name__)) from None
    except (OverflowError, ValueError) as error:  # a broken header may claim anything
        raise Unreadable(str(error)) from None


def _why(path: Path, reason: str) -> str:
    if not path.is_file():
        return reason
    return f"it is no video, or damaged ({reason})" if path.stat().st_size else "the file is empty"


def library() -> Any:
    """PyAV, imported when a file is to be read."""
    try:
        import av
    except ImportError:
        raise TacitError("Video files are read with PyAV, which is not installed; pip install 'tacit[video]'.") from None
    av.logging.set_level(av.logging.PANIC)  # what is broken is told as Unreadable
    return av


def _rate(stream: Any) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate
    if not rate:
        raise Unreadable("it holds no frame, or does not say how many a second")
    return rate


def _after(container: Any, stream: Any, rate: Fraction, place: int) -> Iterator[tuple[int, Any]]:
    """The frames from the one shown at a place on, each with its own place, in order; the first may come before it.

    The key frame sought may turn out to lie behind the place, as in files without a good index: then one further back is tried.
    """
    back = 0
    while True:
        target = max(place - back, 0)
        container.seek(round(target / rate / stream.time_base) + (stream.start_time or 0), stream=stream, backward=True)
        found = _decoded(container, stream, rate)
        first = next(found, None)
        if target == 0 or (first is not None and first[0] <= place):
            break
        back = 2 * back + 64
    last = first
    for now in found:
        if last is not None and now[0] > place:
            yield last
        last = now
    if last is not None:
        yield last


def _decoded(container: Any, stream: Any, rate: Fraction) -> Iterator[tuple[int, Any]]:
    """Each frame and its place, in order of time; damaged packets are passed over."""
    av = library()
    for packet in container.demux(stream):
        try:
            found = decode(packet)
        except av.error.InvalidDataError:
            continue
        for frame in found:
            if frame.pts is not None:
                yield round((frame.pts - (stream.start_time or 0)) * frame.time_base * rate), frame


def _uneven(container: Any, stream: Any) -> float:
    """The share of intervals between frames that are off by more than half of the typical one.

    From the file's index where it has one of all frames, else from its first packets, which are not decoded.
    """
    times = np.array([entry.timestamp for entry in stream.index_entries])
    if len(times) < 2 or not stream.frames:  # Matroska's holds key frames alone
        container.seek(0)
        packets = (packet.pts for _, packet in zip(range(TIMED), container.demux(stream)) if packet.pts is not None)
        times = np.sort(np.array(list(packets)))
    gaps = np.diff(times[1:])  # the first is shifted where frames are reordered
    if len(gaps) < 2:
        return 0.0
    typical = np.median(gaps)
    return float((np.abs(gaps - typical) > 0.5 * typical).mean())


def _upright(frame: Any, side: int | None, form: str) -> np.ndarray:
    """A frame as uint8, height × width × channels, turned as its metadata say."""
    height, width = (frame.height, frame.width) if side is None else shrunk(frame.height, frame.width, side)
    array = frame.reformat(width=width, height=height, format=form, interpolation="AREA").to_ndarray()
    array = array[:, :, None] if array.ndim == 2 else array
    return np.ascontiguousarray(np.rot90(array, frame.rotation // 90 % 4)) if frame.rotation % 360 else array
