"""Images kept decoded in memory, so that later epochs need no decoding."""

from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
import torch

from tacit.data.samples import Images, Samples
from tacit.data.selecting import selected


@dataclass(eq=False, repr=False)
class Cached(Samples):
    """What `origin` would decode, one image after another in one buffer; otherwise like `origin`."""

    origin: Samples
    values: np.ndarray  # uint8
    offsets: np.ndarray  # int64: where each image begins in `values`
    sizes: np.ndarray  # int32, N × 2: its height and width
    channels: int
    source: str
    ids: list[str]
    labels: np.ndarray | None
    classes: tuple[str, ...]
    splits: np.ndarray | None
    kind = "image"

    @classmethod
    def of(cls, origin: Samples, values: np.ndarray, sizes: np.ndarray, channels: int) -> "Cached":
        """Keep `origin`'s images: `values` holds all of them in order, `sizes` their heights and widths."""
        ends = np.cumsum(sizes.astype(np.int64).prod(1) * channels)
        offsets = np.concatenate([[0], ends[:-1]])
        own = (origin.source, list(origin.ids), origin.labels, origin.classes, origin.splits)
        return cls(origin, values, offsets, sizes, channels, *own)

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        sizes = self.sizes[index]
        height, width = sizes.max(0, initial=0)
        pixels = np.empty((len(sizes), height, width, self.channels), np.uint8)
        _gather(self.values, self.offsets[index], sizes, pixels)
        return Images(torch.from_numpy(pixels), torch.from_numpy(sizes)), {}

    def take(self, index: np.ndarray) -> "Cached":
        own = {"origin": self.origin.take(index), "offsets": self.offsets[index], "sizes": self.sizes[index]}
        return replace(self, **own, **selected(self, index))

    def with_side(self, side: int) -> Samples:
        """`origin` at another size: what is kept here has the size at which it was decoded."""
        return self.origin.with_side(side)  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        return self.origin.facts()

    def path(self, position: int) -> str | None:
        return self.origin.path(position)


def pack(images: Images, values: np.ndarray) -> int:
    """Lay a batch's images (without their padding) one after another at the start of `values`; gives how much was written."""
    sizes = images.sizes.numpy()
    pixels = images.pixels.numpy()
    starts = np.concatenate([[0], np.cumsum(sizes.astype(np.int64).prod(1) * pixels.shape[3])])
    _scatter(values, starts, sizes, pixels)
    return int(starts[-1])


@numba.njit(cache=True, nogil=True)
def _gather(values, offsets, sizes, pixels):
    channels = pixels.shape[3]
    for i in range(len(sizes)):
        height, width = sizes[i]
        stride = width * channels
        row = pixels[i].reshape(pixels.shape[1], pixels.shape[2] * channels)
        for y in range(height):
            start = offsets[i] + y * stride
            row[y, :stride] = values[start : start + stride]
            row[y, stride:] = 0
        row[height:] = 0


@numba.njit(cache=True, nogil=True)
def _scatter(values, offsets, sizes, pixels):
    channels = pixels.shape[3]
    for i in range(len(sizes)):
        height, width = sizes[i]
        stride = width * channels
        row = pixels[i].reshape(pixels.shape[1], pixels.shape[2] * channels)
        for y in range(height):
            start = offsets[i] + y * stride
            values[start : start + stride] = row[y, :stride]
