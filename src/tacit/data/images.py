"""Images: encoded ones from anywhere, decoded when asked for, or an array that is there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch

from tacit.data.decoding import (
    GREY_MODES,
    Decoded,
    Encoded,
    Header,
    Unreadable,
    at_once,
    bits_for,
    brightest,
    decode_all,
    fit_all,
    header,
    stacked,
    to_8_bits,
)
from tacit.data.samples import Images, Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError
from tacit.numerics import counter

SIDE = 256  # the short side to which images are shrunk unless told otherwise: enough for views of 224
PROBED = 256  # headers from which channels, depth and the typical shape of a source are told

CHUNK = 250  # images read together for their statistics


class Store(Protocol):
    """Where encoded images lie, one per row: files, the members of archives, a column of a table, the items of a dataset."""

    def content(self, row: int) -> Encoded:
        """What is to be decoded, by any thread; raises Unreadable."""

    def path(self, row: int) -> str | None:
        """The file in which this image lies alone, if there is one."""

    def weight(self, rows: Sequence[int]) -> int:
        """The bytes that these images take where they lie; 0 where nothing says."""


@dataclass(eq=False, repr=False)
class EncodedImages(Samples):
    """Images of a store. Nothing is held per image but its id, row, label and split.

    `read` gives each image upright, with a short side of at most `side` and a long one of at most twice that
    (`decoding.decode`, `decoding.fit`). All have one channel where every probed header is grey, else three. 16-bit grey
    values are scaled alike in the whole source: from the bits that the brightest of the probed images needs.
    """

    source: str
    store: Store
    rows: np.ndarray  # int64: the row of each sample in the store
    ids: list[str]
    shape: tuple[int, int, int]  # channels, and the median height and width of the images probed
    bits: int = 16  # of 16-bit grey images: what becomes white
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    side: int = SIDE
    ignored: Mapping[str, int] = field(default_factory=dict)  # what lies there as well -> how often
    notes: Mapping[str, str] = field(default_factory=dict)  # what was understood, for `tacit inspect`
    clipped: set[int] = field(default_factory=set)  # rows read so far that are brighter than `bits` tell apart
    kind = "image"

    @classmethod
    def of(cls, source: str, store: Store, ids: list[str], **rest: Any) -> "EncodedImages":
        """All rows of a store, of which a few are looked at; `rest` are further fields."""
        shape, bits = _probe(source, store, ids)
        return cls(source, store, np.arange(len(ids)), ids, shape, bits, **rest)

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        positions = np.asarray(index).tolist()
        rows = [int(self.rows[i]) for i in positions]
        decoded = decode_all(self.store.content, rows, [self.ids[i] for i in positions], self.side, self.shape[0], self.bits)
        bad = {i: str(image) for i, image in zip(positions, decoded) if isinstance(image, Unreadable)}
        self.clipped.update(row for row, image in zip(rows, decoded) if isinstance(image, Decoded) and image.clipped)
        return stacked([image.pixels for image in decoded if isinstance(image, Decoded)], self.shape[0]), bad

    def take(self, index: np.ndarray) -> "EncodedImages":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def with_side(self, side: int) -> "EncodedImages":
        """The same images, decoded to a short side of at most `side` pixels."""
        return replace(self, side=_checked(side))

    def with_channels(self, channels: int) -> "EncodedImages":
        """The same images, decoded to grey (1) or RGB (3)."""
        return replace(self, shape=(channels, *self.shape[1:]))

    def with_bits(self, bits: int) -> "EncodedImages":
        """The same images, those of 16-bit grey scaled from so many bits."""
        return replace(self, bits=bits, clipped=set())

    def facts(self) -> dict[str, Any]:
        return _facts(self.shape, self.bits)

    def statistics(self) -> dict[str, list[float]]:
        return statistics(self)

    def path(self, position: int) -> str | None:
        return self.store.path(int(self.rows[position]))


@dataclass(eq=False, repr=False)
class ImageArrays(Samples):
    """Images of one shape in an array, uint8 or uint16: N × height × width × channels (1 or 3).

    An array that is mapped into memory stays on disk: a row is read, and one of uint16 scaled to 8 bits, when asked for.
    """

    source: str
    pixels: np.ndarray
    rows: np.ndarray  # int64: the row of each sample in `pixels`, which taking some samples does not copy
    ids: list[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    side: int = SIDE
    bits: int = 16  # of uint16: what becomes white
    clipped: set[int] = field(default_factory=set)  # rows read so far that are brighter than `bits` tell apart
    kind = "image"

    def read(self, index: np.ndarray) -> tuple[Images, dict[int, str]]:
        values = self.pixels[self.rows[index]]
        if values.dtype == np.uint16 and self.bits < 16 and len(values):
            self.clipped.update(self.rows[index][values.max((1, 2, 3)) >= 2**self.bits].tolist())
        block = self._8_bits(values)
        height, width = block.shape[1:3]
        if min(height, width) > self.side or max(height, width) > 2 * min(height, width):
            block = fit_all(block, self.side)
        sizes = torch.tensor(block.shape[1:3], dtype=torch.int32).repeat(len(block), 1)
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
            block = self._8_bits(self.pixels[start : start + CHUNK])
            weighted = block.astype(np.uint32) * np.array((19595, 38470, 7471), np.uint32)
            grey[start : start + CHUNK] = (weighted.sum(3, dtype=np.uint32, keepdims=True) + 32768) >> 16
        return replace(self, pixels=grey)

    def with_bits(self, bits: int) -> "ImageArrays":
        """The same images, scaled from so many bits if they are uint16."""
        return replace(self, bits=bits, clipped=set())

    def facts(self) -> dict[str, Any]:
        height, width, channels = self.pixels.shape[1:]
        return _facts((channels, height, width), self.bits if self.pixels.dtype == np.uint16 else 16)

    def statistics(self) -> dict[str, list[float]]:
        return statistics(self)

    def _8_bits(self, block: np.ndarray) -> np.ndarray:
        return to_8_bits(block, self.bits) if block.dtype == np.uint16 else block


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


def _facts(shape: tuple[int, int, int], bits: int) -> dict[str, Any]:
    """The bits are a fact where 16-bit values fill only some of them: later images are then scaled as these were."""
    return {"kind": "image", "shape": list(shape), "channels": shape[0]} | ({"bits": bits} if bits < 16 else {})


def _probe(source: str, store: Store, ids: list[str]) -> tuple[tuple[int, int, int], int]:
    """Channels, median height and median width, and the bits of 16-bit grey, from up to PROBED images spread evenly."""
    probed = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), PROBED)).astype(int)).tolist()

    def look(row: int) -> tuple[Header, int] | Unreadable:
        try:
            said = header(content := store.content(row))
            return said, brightest(content) if said.mode.startswith("I") else 0
        except Unreadable as error:
            return error

    found = at_once(look, probed, [ids[row] for row in probed])
    good = [one for one in found if not isinstance(one, Unreadable)]
    if not good:
        raise TacitError(
            f"None of the {len(probed)} images tried in {source} can be read ({ids[probed[0]]}: {found[0]}); check the files."
        )
    headers, largest = [said for said, _ in good], max(bright for _, bright in good)
    channels = 1 if all(h.mode in GREY_MODES for h in headers) else 3
    shape = (channels, int(np.median([h.height for h in headers])), int(np.median([h.width for h in headers])))
    return shape, bits_for(largest) if largest else 16
