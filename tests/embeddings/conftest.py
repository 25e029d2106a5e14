"""Made-up rows and their provenance."""

from collections.abc import Iterator

import numpy as np
import pytest

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.rows import Rows

DIM = 16


@pytest.fixture
def made() -> Provenance:
    return Provenance("runs/one", "ab" * 32, "dense", "cosine", DIM, "image", "0.1.0")


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1000, DIM)).astype(np.float32)


def rows(vectors: np.ndarray, batch: int = 64) -> Iterator[Rows]:
    """`some/i.png` for row i, with a path, a label and a thumbnail for every second one."""
    for start in range(0, len(vectors), batch):
        part = vectors[start : start + batch]
        numbers = range(start, start + len(part))
        yield Rows(
            [f"some/{i}.png" for i in numbers],
            [f"/photos/some/{i}.png" if i % 2 else None for i in numbers],
            [f"class {i % 3}" if i % 2 else None for i in numbers],
            part,
            [b"picture %d" % i if i % 2 else None for i in numbers],
        )
