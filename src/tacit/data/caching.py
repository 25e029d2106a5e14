"""Images kept decoded in memory, as many as fit, so that later epochs need not decode them again."""

from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
import torch

from tacit.data.images import statistics
from tacit.data.samples import Images, Samples
from tacit.data.selecting import selected


@dataclass(eq=False, repr=False)
class Cached(Samples):
    """What `origin` would decode, the first images one after another in one buffer; otherwise like `origin`.

    Each epoch sees all images in another order, so it does not matter which are kept: a share of them saves that share.
    """

    origin: Samples
    values: np.ndarray  # uint8
    offsets: np.ndarray  # int64: where each image begins in `values`; −1: it is not there
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
        """Keep `origin`'s images: `values` holds the first of them in order, `sizes` the heights and widths of all."""
        ends = np.cumsum(sizes.astype(np.int64).prod(1) * channels)
        offsets = np.where(ends <= len(values), np.concatenate([[0], ends[:-1]]), -1)
        own = (origin.source, list(origin.ids), origin.labels, origin.classes, origin.splits)
        return cls(origin, values, offsets, sizes, channels, *own)

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        missing = np.flatnonzero(self.offsets[index] < 0)
        fresh, bad = self.origin.read(index[missing]) if len(missing) else (None, {})
        if bad:
            return self.origin.read(index)  # a file that could be read before: what is left comes without it
        sizes = self.sizes[index]
        height, width = sizes.max(0, initial=0)
        pixels = np.empty((len(sizes), height, width, self.channels), np.uint8)
        _gather(self.values, self.offsets[index], sizes, pixels)
        if fresh is not None:
            high, wide = fresh.pixels.shape[1:3]
            pixels[missing] = 0
            pixels[missing, :high, :wide] = fresh.pixels.numpy()
        return Images(torch.from_numpy(pixels), torch.from_numpy(sizes)), {}

    def take(self, index: np.ndarray) -> "Cached":
        own = {"origin": self.origin.take(index), "offsets": self.offsets[index], "sizes": self.sizes[index]}
        return replace(self, **own, **selected(self, index))

    def with_side(self, side: int) -> Samples:
        """`origin` at another size: what is kept here has the size at which it was decoded."""
        return self.origin.with_side(side)  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        return self.origin.facts()

    def statistics(self) -> dict[str, Any]:
        return statistics(self)

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
        if offsets[i] < 0:
            continue
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
