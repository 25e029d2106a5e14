"""Tables with a map: three far groups of vectors, with pictures, labels and splits."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table
from tacit.embeddings.rows import Rows
from tacit.embeddings.sheet import thumbnail
from tacit.embeddings.write import write

DIM, GROUPS = 8, 3
COLOURS = ((200, 60, 60), (60, 160, 60), (60, 60, 200))


def vectors_of_groups(count: int, seed: int = 0) -> np.ndarray:
    """Row i lies in group i % 3."""
    random = np.random.default_rng(seed)
    centres = 6 * np.eye(GROUPS, DIM)
    return (centres[np.arange(count) % GROUPS] + 0.4 * random.standard_normal((count, DIM))).astype(np.float32)


def rows_of(vectors: np.ndarray, ids: list[str]) -> Iterator[Rows]:
    pictures = [thumbnail(np.full((16, 16, 3), colour, np.uint8)) for colour in COLOURS]
    for start in range(0, len(ids), 512):
        some = range(start, min(start + 512, len(ids)))
        yield Rows(
            [ids[i] for i in some],
            [f"/photos/{ids[i]}" for i in some],
            [None if i % 10 == 9 else ("ash", "beech", "cedar")[i % GROUPS] for i in some],
            vectors[some.start : some.stop],
            [pictures[i % GROUPS] if i % 2 == 0 else None for i in some],
            splits=["test" if i % 5 == 0 else "train" for i in some],
        )


def made_table(path: Path, count: int, *, seed: int = 0, encoder: str = "ab" * 32, kind: str = "image") -> Table:
    """A table of `count` rows, `trees/i.png` for row i."""
    made = Provenance("runs/one", encoder, "dense", "cosine", DIM, kind, "0.1.0", "trees")
    ids = [f"trees/{i}.png" for i in range(count)]
    return write(path, rows_of(vectors_of_groups(count, seed), ids), made, total=count)


@pytest.fixture(scope="session")
def trees(tmp_path_factory) -> Table:
    """42 rows, so few that their map is made at once. Nobody changes it."""
    return made_table(tmp_path_factory.mktemp("tables") / "trees.lance", 42)
