"""Any map-style torch Dataset as samples: its items are images, or tuples of an image, a label and what else there is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, Subset

from tacit.data.decoding import Unreadable
from tacit.data.images import PROBED, EncodedImages
from tacit.data.labels import numbered
from tacit.errors import TacitError

CHANNELS = (1, 3, 4)
ROUNDING = 1e-3  # by which an interpolation may leave [0, 1]


@dataclass(frozen=True, eq=False)
class Items:
    """The items of a dataset, one at a time, for nothing says that it may be used by several threads."""

    dataset: Dataset
    lock: Lock = field(default_factory=Lock)

    def content(self, row: int) -> Image.Image:
        return as_image(_first(self.item(row)), row)

    def item(self, row: int) -> Any:
        """One item as the dataset gives it; Unreadable with its error where it raises."""
        try:
            with self.lock:
                item = self.dataset[row]
                if isinstance(image := _first(item), Image.Image):
                    image.load()  # here, for the dataset may give the same image twice
                return item
        except Exception as error:  # whatever a user's code raises
            raise Unreadable(f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")) from None

    def label(self, row: int) -> int | None:
        """The second element of an item, where that is an integer; a float is a quantity, whoever holds it."""
        try:
            item = self.item(row)
        except Unreadable:
            return None
        second = item[1] if isinstance(item, tuple | list) and len(item) > 1 else None
        if isinstance(second, torch.Tensor | np.ndarray) and second.ndim == 0:
            second = second.item()
        return int(second) if isinstance(second, int | np.integer) else None

    def path(self, row: int) -> str | None:
        return None

    def weight(self, rows: Sequence[int]) -> int:
        return 0


def from_dataset(dataset: Dataset) -> EncodedImages:
    """A dataset's items by their position; labels are carried where there are any, and never needed.

    Labels are taken from `targets` or `labels` of the dataset where those agree with its items, else all items are read
    once for them.
    """
    name = f"the dataset {type(dataset).__name__}"
    if isinstance(dataset, IterableDataset):
        raise TacitError(f"{name} is an IterableDataset, whose items have no positions; give a map-style Dataset.")
    try:
        n = len(dataset)  # type: ignore[arg-type]
    except (TypeError, NotImplementedError):
        raise TacitError(f"{name} has no length; give a map-style Dataset with __len__ and __getitem__.") from None
    if not n:
        raise TacitError(f"{name} is empty; give at least 2 samples.")
    items = Items(dataset)
    labels, classes = _labels(items, n, name)
    ids = [f"{row:05d}" for row in range(n)]
    return EncodedImages.of(name, items, ids, labels=labels, classes=classes)


def as_image(value: Any, row: int) -> Image.Image:
    """An image of Pillow's, or an array or tensor (height × width, channels first or last) as one.

    uint8, booleans, 16-bit grey, or real numbers in [0, 1]. Where both ends could be channels a tensor has them first and an
    array last.
    """
    if isinstance(value, Image.Image):
        return value
    tensor = isinstance(value, torch.Tensor)
    array = value.detach().cpu().to(torch.float32 if value.is_floating_point() else value.dtype).numpy() if tensor else value
    if not isinstance(array, np.ndarray):
        raise TacitError(
            f"Item {row} of the dataset is a {type(value).__name__}; give an image, array or tensor, or a tuple that begins so."
        )
    if array.ndim == 3 and array.shape[0] in CHANNELS and (tensor or array.shape[2] not in CHANNELS):
        array = np.moveaxis(array, 0, 2)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in CHANNELS) or 0 in array.shape:
        raise TacitError(
            f"Item {row} of the dataset has the shape {tuple(value.shape)}; give height × width, with 1, 3 or 4 channels."
        )
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    return Image.fromarray(np.ascontiguousarray(_whole(array, row)))


def _first(item: Any) -> Any:
    return item[0] if isinstance(item, tuple | list) and len(item) else item


def _whole(array: np.ndarray, row: int) -> np.ndarray:
    """uint8, or uint16 of grey images."""
    if array.dtype == np.uint8 or (array.dtype == np.uint16 and array.ndim == 2):
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind != "f":
        raise TacitError(f"Item {row} of the dataset holds {array.dtype}; give uint8, or real numbers in [0, 1].")
    if np.isnan(array).any():
        raise Unreadable("it holds NaN")
    if array.min() < -ROUNDING or array.max() > 1 + ROUNDING:
        raise TacitError(
            f"Item {row} of the dataset holds values from {array.min():.4g} to {array.max():.4g}; "
            "give uint8, or real numbers in [0, 1] (leave Normalize out of its transform)."
        )
    return np.rint(array.clip(0, 1) * 255).astype(np.uint8)


def _labels(items: Items, n: int, name: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    probed = np.unique(np.linspace(0, n - 1, min(n, PROBED // 8)).astype(int)).tolist()
    seen = {row: label for row in probed if (label := items.label(row)) is not None}
    if not seen:
        return None, ()
    values = _declared(items.dataset, n)
    if values is None or any(values[row] != label for row, label in seen.items()):  # changed by a target_transform
        found = (items.label(row) for row in range(n))
        values = np.array([-1 if label is None else label for label in found], np.int64)
    names = getattr(items.dataset.dataset if isinstance(items.dataset, Subset) else items.dataset, "classes", None)
    fits = isinstance(names, list | tuple) and len(names) > values.max()
    return numbered(values, name, names if fits else None)


def _declared(dataset: Dataset, n: int) -> np.ndarray | None:
    """The labels that a dataset has in a list, as those of torchvision do."""
    if isinstance(dataset, Subset):
        inner = _declared(dataset.dataset, len(dataset.dataset))  # type: ignore[arg-type]
        return None if inner is None else inner[np.asarray(dataset.indices, np.int64)]
    for name in ("targets", "labels"):
        values = getattr(dataset, name, None)
        if isinstance(values, list | np.ndarray | torch.Tensor) and len(values) == n:
            array = np.asarray(values)
            if array.ndim == 1 and array.dtype.kind in "iu":
                return array.astype(np.int64)
    return None
