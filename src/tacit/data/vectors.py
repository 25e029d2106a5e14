"""Vectors: rows of numbers in an array."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from tacit.data.samples import Samples, Vectors
from tacit.data.selecting import selected
from tacit.errors import TacitError
from tacit.numerics import counter


@dataclass(eq=False, repr=False)
class VectorArrays(Samples):
    """Rows of an array of N × d numbers, of any real type; read as float32, so that a file mapped into memory stays on disk."""

    source: str
    values: np.ndarray
    rows: np.ndarray  # int64: the row of each sample in `values`
    ids: list[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    kind = "vector"

    def read(self, index: np.ndarray) -> tuple[Vectors, dict[int, str]]:
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which `verify` refuses
            block = self.values[self.rows[index]].astype(np.float32)
        return Vectors(torch.from_numpy(block)), {}

    def take(self, index: np.ndarray) -> "VectorArrays":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": [self.values.shape[1]]}

    def statistics(self) -> dict[str, list[float]]:
        return statistics(self)


def statistics(samples: Samples, most: int = 20_000) -> dict[str, list[float]]:
    """Mean and standard deviation of each column over at most `most` rows, drawn by counter; a constant column has 0."""
    chosen = np.sort(counter.permutation(counter.key("statistics"), len(samples))[:most])
    values = samples.read(chosen)[0].values.numpy().astype(np.float64)
    broken = ~np.isfinite(values).all(1)
    if broken.any():
        row = samples.ids[chosen[broken.argmax()]]
        raise TacitError(f"Row {row} of {samples.source} holds NaN or infinity; remove it or fill it in.")
    return {"mean": values.mean(0).tolist(), "std": values.std(0).tolist()}
