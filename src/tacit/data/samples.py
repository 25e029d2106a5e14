"""What a source becomes once it is opened: samples with stable ids and content decoded when asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor


class Images(NamedTuple):
    """Decoded images, padded at the bottom right to the largest of the batch."""

    pixels: Tensor  # uint8, n × height × width × channels (1 or 3)
    sizes: Tensor  # int32, n × 2: the true height and width of each


class Vectors(NamedTuple):
    """Rows of numbers."""

    values: Tensor  # float32, n × d


class Parts(NamedTuple):
    """Samples of two parts, each with a content of its own."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Corrupt:
    """A sample that could not be read, and why."""

    id: str
    why: str


class Samples:
    """The base of every opened source.

    Subclasses set `kind`, `ids`, `source` and implement `read` and `take`; labels travel apart from content and only a
    declared stream ever sees them.
    """

    kind: str  # the modality: "image", "vector", "pair", "triples"
    source: str  # where it came from, as the user typed it
    ids: Sequence[str]  # stable: the path below the source, or the row's number
    labels: np.ndarray | None = None  # int64, −1 for unlabelled
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None  # "train", "val" or "test" for each sample, where the source says so
    transductive: bool = False  # whether all samples are trained on, without labels, whatever their split

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, index: np.ndarray) -> tuple[Any, dict[int, str]]:
        """The content of the readable ones among these positions, and why the others (by position) are not."""
        raise NotImplementedError

    def take(self, index: np.ndarray) -> "Samples":
        """The samples at these positions, in this order, as Samples."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """What an encoder or a view must know beforehand, JSON only: `shape` of one sample, and the kind's own."""
        raise NotImplementedError

    def statistics(self) -> dict[str, Any]:
        """What is measured over the training part and joins the facts: by what views are normalised. JSON only."""
        raise NotImplementedError

    def suits(self, facts: Mapping[str, Any]) -> bool:
        """Whether content is read as a run of these facts reads it: texts are cut into pieces by a tokenizer of its own."""
        return True

    def embedded(self) -> "Samples":
        """What is embedded of a source: its samples, or what they are about (the entities of triples)."""
        return self

    def path(self, position: int) -> str | None:
        """The file a sample lies in, if it has one."""
        return None

    def split(self, name: str) -> "Samples":
        """The samples of one declared split."""
        if self.splits is None:
            raise ValueError("this source declares no splits")
        return self.take(np.flatnonzero(self.splits == name))
