"""Videos whose frames are read when a view asks for them, since which ones it needs is drawn with the view."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from tacit.data.decoding import Unreadable, at_once, stacked
from tacit.data.folders import scan
from tacit.data.images import statistics
from tacit.data.samples import Images, Samples
from tacit.data.selecting import selected
from tacit.data.video.decoding import SUFFIXES, Header
from tacit.data.video.folders import FrameFolders, VideoFiles, scan_frames
from tacit.errors import TacitError

PROBED = 64  # videos whose header is looked at when a source is opened
MEASURED = 500  # of which the middle frame is measured
GREY = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R 601 luma
COPIES = 512  # videos whose content is compared by `look`; and of no larger ones than this many bytes
LARGE = 2**27


class Store(Protocol):
    """Where videos lie, one per row."""

    def header(self, row: int) -> Header:
        """Raises Unreadable; what was read once is kept."""

    def frames(self, row: int, places: np.ndarray, side: int, channels: int) -> np.ndarray:
        """The frames at these places, uint8, t × height × width × channels, their short side at most about `side`; raises
        Unreadable."""

    def path(self, row: int) -> str | None: ...

    def weight(self, rows: Sequence[int]) -> int:
        """Bytes."""

    def digest(self, row: int) -> bytes:
        """By which copies are told: the encoded content."""


class Videos(NamedTuple):
    """Some videos that can be read, none of whose frames has been decoded yet.

    A view draws which frames it shows, from `lengths`, and asks for those with `frames`: so every epoch sees other parts of a
    video, and of a file no more is decoded than lies around them.
    """

    lengths: Tensor  # int64, n: frames of each
    rows: np.ndarray  # int64, n: where it lies in the store
    names: Sequence[str]
    channels: int
    store: Store

    def frames(self, places: np.ndarray, side: int) -> Images:
        """The frames at `places` (int64, n × t) one video after another: n · t images on the device of `lengths`.

        Raises TacitError naming the video where one cannot be read any more.
        """
        if isinstance(self.store, VideoRows):
            return self._on_device(self.store.block(self.rows, places, self.channels))
        found = at_once(lambda i: self._attempt(i, places[i], side), range(len(places)), self.names)
        for name, clip in zip(self.names, found):
            if isinstance(clip, Unreadable):
                raise TacitError(
                    f"{name} could be read when it was opened and its frames cannot be read now ({clip}); put it back or "
                    "remove it; of a training --resume goes on from the last save."
                )
        return self._on_device(stacked([frame for clip in found for frame in clip], self.channels))

    def middles(self, side: int) -> Images:
        """The frame in the middle of each video."""
        return self.frames((self.lengths.cpu().numpy() // 2)[:, None], side)

    def _attempt(self, i: int, places: np.ndarray, side: int) -> Any:
        try:
            return self.store.frames(int(self.rows[i]), places, side, self.channels)
        except Unreadable as error:
            return error

    def _on_device(self, images: Images) -> Images:
        return Images(images.pixels.to(self.lengths.device), images.sizes.to(self.lengths.device))


@dataclass(frozen=True, eq=False)
class VideoRows:
    """Videos of one shape in an array, N × frames × height × width × channels; one mapped into memory stays on disk."""

    values: np.ndarray  # uint8

    def header(self, row: int) -> Header:
        _, frames, height, width, channels = self.values.shape
        return Header(frames, height, width, 0.0, channels, "")

    def frames(self, row: int, places: np.ndarray, side: int, channels: int) -> np.ndarray:
        return self.block(np.array([row]), places[None], channels).pixels.numpy()

    def block(self, rows: np.ndarray, places: np.ndarray, channels: int) -> Images:
        """The frames at places (n × t) of n rows, at their full size: n · t images."""
        pixels = self.values[rows[:, None], places].reshape(-1, *self.values.shape[2:])
        if channels < pixels.shape[3]:
            pixels = np.rint(pixels @ GREY)[..., None].astype(np.uint8)
        elif channels > pixels.shape[3]:
            pixels = pixels.repeat(channels, 3)
        sizes = torch.tensor(pixels.shape[1:3], dtype=torch.int32).repeat(len(pixels), 1)
        return Images(torch.from_numpy(pixels), sizes)

    def path(self, row: int) -> str | None:
        return None

    def weight(self, rows: Sequence[int]) -> int:
        return int(np.prod(self.values.shape[1:])) * len(rows)

    def digest(self, row: int) -> bytes:
        return self.values[row].tobytes()


@dataclass(eq=False, repr=False)
class StoredVideos(Samples):
    """Videos of a store. `read` reads no frame but gives `Videos`, and says which cannot be read.

    Of a file the header, the first and the last frame are looked at, once. All have one channel where every probed one is grey.
    """

    source: str
    store: Store
    rows: np.ndarray  # int64: the row of each sample in the store
    ids: list[str]
    shape: tuple[int, int, int, int]  # channels, and the frames, height and width of the median video
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    kind = "video"

    @classmethod
    def of(cls, source: str, store: Store, ids: list[str], **rest: Any) -> "StoredVideos":
        """All rows of a store, of which a few are looked at."""
        probed = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), PROBED)).astype(int)).tolist()
        found = _headers(store, probed, [ids[row] for row in probed])
        good = [one for one in found if isinstance(one, Header)]
        if not good:
            raise TacitError(
                f"None of the {len(probed)} videos tried in {source} can be read ({ids[probed[0]]}: {found[0]}); "
                "check the files."
            )
        middle = np.median([[one.frames, one.height, one.width] for one in good], axis=0).astype(int).tolist()
        return cls(source, store, np.arange(len(ids)), ids, (max(one.channels for one in good), *middle), **rest)

    def read(self, index: np.ndarray) -> tuple[Videos, dict[int, str]]:
        positions = np.asarray(index).tolist()
        found = _headers(self.store, [int(self.rows[i]) for i in positions], [self.ids[i] for i in positions])
        bad = {i: str(one) for i, one in zip(positions, found) if isinstance(one, Unreadable)}
        good = [i for i in positions if i not in bad]
        lengths = torch.tensor([one.frames for one in found if isinstance(one, Header)], dtype=torch.int64)
        return Videos(lengths, self.rows[good], [self.ids[i] for i in good], self.shape[0], self.store), bad

    def take(self, index: np.ndarray) -> "StoredVideos":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def fitted(self, facts: Mapping[str, Any]) -> "StoredVideos":
        """The same videos in the channels that an encoder expects."""
        return replace(self, shape=(facts["channels"], *self.shape[1:]))

    def facts(self) -> dict[str, Any]:
        channels, length, height, width = self.shape
        own = {"channels": channels, "length": length, "height": height, "width": width}
        return {"kind": self.kind, "shape": list(self.shape), **own}

    def statistics(self) -> dict[str, list[float]]:
        """Mean and standard deviation of each channel, over the middle frames of at most 500 videos."""
        return statistics(_Middles(self), MEASURED)

    def path(self, position: int) -> str | None:
        return self.store.path(int(self.rows[position]))

    def look(self, drawn: np.ndarray, most: int) -> dict[str, Any]:
        """What `tacit inspect` shows of up to `most` videos, in the fields of `data.inspecting`."""
        chosen = np.sort(drawn[:most])
        rows = self.rows[chosen].tolist()
        found = _headers(self.store, rows, [self.ids[i] for i in chosen])
        good = [one for one in found if isinstance(one, Header)]
        small = [row for row in rows[:COPIES] if self.store.weight([row]) <= LARGE]
        digests = [sha256(self.store.digest(row)).digest() for row in small]
        rates = Counter(round(one.rate, 2) for one in good if one.rate)
        notes = {"sizes are": "frames × height × width"}
        if rates:
            notes["rate"] = ", ".join(f"{rate:g} a second {count:,}" for rate, count in rates.most_common(5))
        if isinstance(self.store, FrameFolders):
            notes["read as"] = "each folder of numbered images is a video; --as image where each is an image by itself"
        return {
            "sizes": np.array([one[:3] for one in good]).reshape(-1, 3),
            "modes": {"uint8": len(self)} if isinstance(self.store, VideoRows) else {},
            "formats": dict(Counter(one.form for one in good if one.form)),
            "bytes": self.store.weight(self.rows.tolist()),
            "looked_at": len(chosen),
            "decoded": len(chosen),
            "trouble": {i: str(one) for i, one in zip(chosen.tolist(), found) if isinstance(one, Unreadable)},
            "duplicates": len(digests) - len(set(digests)),
            "ignored": self.ignored,
            "notes": notes,
        }


class _Middles(Samples):
    """The middle frames of videos, as images."""

    def __init__(self, videos: StoredVideos):
        self.videos, self.ids = videos, videos.ids

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        content, bad = self.videos.read(index)
        return content.middles(64), bad


def open_videos(folder: Path, source: str) -> StoredVideos:
    """A folder of video files: flat, with class folders, or with train, val and test above either (`folders.scan`)."""
    ids, labels, classes, splits, ignored = scan(folder, SUFFIXES, "video")
    own = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored}
    return StoredVideos.of(source, VideoFiles(folder, ids), ids, **own)


def open_frames(folder: Path, source: str) -> StoredVideos:
    """A folder of folders of frames (`video.folders.scan_frames`)."""
    (ids, labels, classes, splits, ignored), listed = scan_frames(folder)
    own = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored}
    return StoredVideos.of(source, FrameFolders(folder, ids, listed), ids, **own)


def open_video(path: Path, source: str) -> StoredVideos:
    """One video file, its name being its id."""
    return StoredVideos.of(source, VideoFiles(path.parent, [path.name]), [path.name])


def from_videos(array: np.ndarray, source: str, ids: list[str], **rest: Any) -> StoredVideos:
    """An array of N × frames × height × width (× 1 or 3) whole numbers of 8 bits."""
    array = array[..., None] if array.ndim == 4 else array
    if array.ndim != 5 or array.shape[4] not in (1, 3) or array.dtype != np.uint8:
        raise TacitError(
            f"{source} is an array of {array.dtype} of shape {array.shape}; videos are N × frames × height × width (× 1 or 3) "
            "of uint8."
        )
    return StoredVideos.of(source, VideoRows(array), ids, **rest)


def are_videos(block: np.ndarray) -> bool:
    """Whether an array can hardly be images: uint8, N × frames × height × width (× 1 or 3)."""
    if block.dtype != np.uint8 or block.ndim not in (4, 5):
        return False
    return block.shape[-1] in (1, 3) if block.ndim == 5 else block.shape[3] not in (1, 3, 4) and block.shape[1] > 4


def _headers(store: Store, rows: Sequence[int], names: Sequence[str]) -> list[Header | Unreadable]:
    def attempt(row: int) -> Header | Unreadable:
        try:
            return store.header(row)
        except Unreadable as error:
            return error

    return at_once(attempt, rows, names)
