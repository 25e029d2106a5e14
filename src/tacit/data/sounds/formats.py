"""One sound file: decoded, mixed down, resampled; what is broken, silent or shorter than a window is refused."""

import struct
from math import gcd
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tacit.data.decoding import Unreadable
from tacit.errors import TacitError

SUFFIXES = frozenset((".wav", ".flac", ".ogg", ".oga", ".mp3"))
SHORTEST = 0.025  # seconds: one window of a spectrogram
LONGEST = 30.0  # seconds that are heard of a longer sound
QUIETEST = 2.0**-15  # the peak below which a sound is silent: one step of 16 bits
UNKNOWN = 0x7FFFF000  # from here on the size in a .wav is what programs write that do not know it


class Header(NamedTuple):
    """What a file says of itself before it is decoded."""

    format: str
    kind: str  # of its numbers, as libsndfile names it
    rate: int  # samples a second
    channels: int
    frames: int  # samples of each channel


class Wave(NamedTuple):
    """One sound, mono: `values` · `scale` are its samples, which a file of 16 bits holds between −1 and 1."""

    values: np.ndarray  # int16
    scale: float


def header(path: Path) -> Header:
    """The header of a sound file; raises Unreadable."""
    library = _library()
    try:
        info = library.info(str(path))
    except (library.LibsndfileError, OSError) as error:
        raise Unreadable(_why(path, error)) from None
    return Header(info.format, info.subtype, info.samplerate, info.channels, info.frames)


def decode(path: Path, rate: int) -> Wave:
    """One sound at `rate` samples a second, at most LONGEST of it; raises Unreadable.

    Channels are averaged. Samples are kept in 16 bits of the sound's own peak, so quiet ones lose nothing and floats above 1
    are not clipped. A header that claims more than the file holds is a broken file, even where a decoder bears with it.
    """
    library = _library()
    _refuse_cut_off(path)
    try:
        with library.SoundFile(str(path)) as file:
            claimed, native = file.frames, file.samplerate
            wanted = min(claimed, int(LONGEST * native))
            block = file.read(wanted, dtype="float32", always_2d=True)
    except (library.LibsndfileError, OSError) as error:
        raise Unreadable(_why(path, error)) from None
    if len(block) < wanted:
        raise Unreadable(f"its header claims {claimed:,} samples and only {len(block):,} can be read")
    broken = int((~np.isfinite(block).all(1)).sum())
    if broken:
        raise Unreadable(f"{broken:,} of its {len(block):,} samples hold NaN or infinity")
    if len(block) < SHORTEST * native:
        raise Unreadable(f"it lasts {1000 * len(block) / native:.0f} ms, and {1000 * SHORTEST:.0f} are needed")
    mono = block.mean(1)
    peak = float(np.abs(mono).max())
    if peak < QUIETEST:
        raise Unreadable("it is silent" if np.abs(block).max() < QUIETEST else "its channels cancel each other out")
    return packed(resampled(mono, native, rate))


def packed(values: np.ndarray) -> Wave:
    """Real samples in 16 bits of their own peak."""
    scale = max(float(np.abs(values).max(initial=0)) / 32767, 2.0**-40)
    return Wave(np.rint(values / scale).astype(np.int16), scale)


def resampled(values: np.ndarray, native: int, rate: int) -> np.ndarray:
    """The same sound at another rate, without what is above half of it: polyphase, with scipy's Kaiser window."""
    if native == rate:
        return values
    from scipy.signal import resample_poly

    common = gcd(native, rate)
    return resample_poly(values, rate // common, native // common).astype(np.float32)


def _refuse_cut_off(path: Path) -> None:
    """A .wav whose header claims more than the file holds, which libsndfile reads as a shorter sound."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(4) != b"RIFF" or len(file.read(8)) < 8:
                return
            frame = 1
            while len(chunk := file.read(8)) == 8:
                name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
                if name == b"data":
                    there = size - file.tell()
                    if there < length < UNKNOWN:
                        claimed, held = length // frame, there // frame
                        raise Unreadable(f"its header claims {claimed:,} samples and the file holds {held:,}")
                    return
                if name == b"fmt ":
                    body = file.read(length + length % 2)
                    frame = max(struct.unpack("<H", body[12:14])[0], 1) if len(body) >= 14 else 1
                else:
                    file.seek(length + length % 2, 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None


def _why(path: Path, error: Exception) -> str:
    if not path.is_file():
        return "there is no such file"
    if path.stat().st_size == 0:
        return "the file is empty"
    said = str(error).partition(": ")[2] if "Error opening" in str(error) else str(error)
    return f"it cannot be decoded ({(said or str(error)).strip().rstrip('.')})"


def _library() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError where libsndfile itself is not there
        raise TacitError(
            f"Sounds are read by soundfile, which cannot be imported ({error}); pip install 'tacit[audio]'."
        ) from None
    return soundfile
