"""Images: a folder of files decoded when asked for, or an array that is there already."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tacit.data.decoding import GREY_MODES, Header, Unreadable, decode_all, fit, header, pool, stacked
from tacit.data.folders import scan
from tacit.data.samples import Images, Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError
from tacit.numerics import counter

SIDE = 256  # the short side to which images are shrunk unless told otherwise: enough for views of 224
PROBED = 256  # headers from which channels and the typical shape of a folder are told

CHUNK = 250  # images read together for their statistics


@dataclass(eq=False, repr=False)
class ImageFolder(Samples):
    """Files below a folder. Nothing is held per file but its relative path (the id), label and split.

    `read` gives each image upright, with a short side of at most `side` and a long one of at most twice that
    (`decoding.decode`, `decoding.fit`). All have one channel where every probed header is grey, else three.
    """

    source: str
    root: Path
    ids: list[str]
    shape: tuple[int, int, int]  # channels, and the median height and width of the files probed
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    side: int = SIDE
    ignored: Mapping[str, int] = field(default_factory=dict)  # suffix -> files that are no images
    kind = "image"

    @classmethod
    def open(cls, folder: str | Path) -> "ImageFolder":
        """A folder of images: flat, with class folders, or with train, val and test above either (`folders.scan`)."""
        root = Path(folder).expanduser()
        ids, labels, classes, splits, ignored = scan(root)
        return cls(str(folder), root, ids, _probe(root, ids), labels, classes, splits, ignored=ignored)

    @classmethod
    def of_file(cls, file: str | Path) -> "ImageFolder":
        """One image, its name being its id."""
        path = Path(file).expanduser()
        return cls(str(file), path.parent, [path.name], _probe(path.parent, [path.name]))

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        positions = np.asarray(index).tolist()
        decoded = decode_all([self.root / self.ids[i] for i in positions], self.side, self.shape[0])
        bad = {i: str(image) for i, image in zip(positions, decoded) if isinstance(image, Unreadable)}
        return stacked([image for image in decoded if isinstance(image, np.ndarray)], self.shape[0]), bad

    def take(self, index: np.ndarray) -> "ImageFolder":
        return replace(self, **selected(self, index))

    def with_side(self, side: int) -> "ImageFolder":
        """The same images, decoded to a short side of at most `side` pixels."""
        return replace(self, side=_checked(side))

    def with_channels(self, channels: int) -> "ImageFolder":
        """The same images, decoded to grey (1) or RGB (3)."""
        return replace(self, shape=(channels, *self.shape[1:]))

    def facts(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": list(self.shape), "channels": self.shape[0]}

    def path(self, position: int) -> str:
        return str(self.root / self.ids[position])


@dataclass(eq=False, repr=False)
class ImageArrays(Samples):
    """Images of one shape in an array: uint8, N × height × width × channels (1 or 3)."""

    source: str
    pixels: np.ndarray
    rows: np.ndarray  # int64: the row of each sample in `pixels`, which taking some samples does not copy
    ids: list[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    side: int = SIDE
    kind = "image"

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        block = self.pixels[self.rows[index]]
        height, width, channels = block.shape[1:]
        if min(height, width) > self.side or max(height, width) > 2 * min(height, width):
            return stacked(list(pool().map(self._fitted, block)), channels), {}
        sizes = torch.tensor([height, width], dtype=torch.int32).repeat(len(block), 1)
        return Images(torch.from_numpy(block), sizes), {}

    def take(self, index: np.ndarray) -> "ImageArrays":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def with_side(self, side: int) -> "ImageArrays":
        """The same images, shrunk when read to a short side of at most `side` pixels."""
        return replace(self, side=_checked(side))

    def with_channels(self, channels: int) -> "ImageArrays":
        """The same images in grey (1; ITU-R 601 luma, as Pillow rounds it) or RGB (3; grey ones take no more memory)."""
        if channels == self.pixels.shape[3]:
            return self
        if channels == 3:
            return replace(self, pixels=np.broadcast_to(self.pixels, (*self.pixels.shape[:3], 3)))
        grey = np.empty((*self.pixels.shape[:3], 1), np.uint8)
        for start in range(0, len(grey), CHUNK):
            weighted = self.pixels[start : start + CHUNK].astype(np.uint32) * np.array((19595, 38470, 7471), np.uint32)
            grey[start : start + CHUNK] = (weighted.sum(3, dtype=np.uint32, keepdims=True) + 32768) >> 16
        return replace(self, pixels=grey)

    def facts(self) -> dict[str, Any]:
        height, width, channels = self.pixels.shape[1:]
        return {"kind": self.kind, "shape": [channels, height, width], "channels": channels}

    def _fitted(self, array: np.ndarray) -> np.ndarray:
        grey = array.shape[2] == 1
        small = np.asarray(fit(Image.fromarray(array[:, :, 0] if grey else array), self.side))
        return small[:, :, None] if grey else small


def statistics(samples: Samples, most: int = 2000) -> dict[str, list[float]]:
    """Mean and standard deviation of each channel in units of [0, 1], over the pixels of at most `most` images.

    The images are drawn by counter, so the answer is always the same; a deviation is at least 1/255, one step of grey.
    """
    chosen = np.sort(counter.permutation(counter.key("statistics"), len(samples))[:most])
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for index in np.array_split(chosen, -(-len(chosen) // CHUNK)):
        pixels, sizes = (tensor.numpy() for tensor in samples.read(index)[0])
        height, width = (np.arange(length) for length in pixels.shape[1:3])
        inside = (height[:, None] < sizes[:, :1, None]) & (width < sizes[:, 1:, None])  # not the padding
        values = pixels[inside].astype(np.float32)
        count += len(values)
        total = total + values.sum(0, dtype=np.float64)
        squares = squares + np.square(values).sum(0, dtype=np.float64)
    mean = total / max(count, 1)
    std = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 1.0))
    return {"mean": (mean / 255).tolist(), "std": (std / 255).tolist()}


def _checked(side: int) -> int:
    if side < 1:
        raise TacitError(f"The short side of an image is to be {side} pixels; give 1 or more.")
    return side


def _probe(root: Path, ids: list[str]) -> tuple[int, int, int]:
    """Channels, median height and median width, from the headers of up to PROBED files spread evenly over the ids."""
    headers: list[Header] = []
    probed = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), PROBED)).astype(int)).tolist()
    reasons = {}
    for i in probed:
        try:
            headers.append(header(root / ids[i]))
        except Unreadable as error:
            reasons[ids[i]] = str(error)
    if not headers:
        name, why = next(iter(reasons.items()))
        raise TacitError(f"None of the {len(probed)} images tried in {root} can be read ({name}: {why}); check the files.")
    channels = 1 if all(h.mode in GREY_MODES for h in headers) else 3
    return channels, int(np.median([h.height for h in headers])), int(np.median([h.width for h in headers]))
