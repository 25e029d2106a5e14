"""How much memory writing and searching a table takes, by the number of its rows: `python benchmarks/embedding_memory.py`.

Each number is the peak resident memory of a fresh process, in MB. The rows are made up: 384 numbers and a 32 × 32
picture of noise each. Promised: writing 100 000 takes at most 200 MB more than writing 1000.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import open_table
from tacit.embeddings.rows import Rows
from tacit.embeddings.search import search
from tacit.embeddings.sheet import thumbnail
from tacit.embeddings.write import write

DIM, BATCH = 384, 256


def rows(n: int) -> Iterator[Rows]:
    random = np.random.default_rng(0)
    for start in range(0, n, BATCH):
        ids = [f"image_{i:07d}.png" for i in range(start, min(start + BATCH, n))]
        pictures: list[bytes | None] = [thumbnail(p) for p in random.integers(0, 256, (len(ids), 32, 32, 3), np.uint8)]
        vectors = random.standard_normal((len(ids), DIM), dtype=np.float32)
        yield Rows(ids, [f"/photos/{id}" for id in ids], [None] * len(ids), vectors, pictures)


def one(task: str, table: str, n: int) -> None:
    if task == "write":
        write(table, rows(n), Provenance("run", "0" * 64, "dense", "cosine", DIM, "image", "0"), total=n)
    else:
        search(open_table(table), np.ones((100, DIM)), 10)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        with TemporaryDirectory() as folder:
            for n in (1000, 10_000, 100_000):
                peak = {}
                for task in ("write", "search"):
                    command = [sys.executable, __file__, task, str(Path(folder) / f"n{n}.lance"), str(n)]
                    peak[task] = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
                print(f"{n:>7} rows: write {peak['write']} MB, search {peak['search']} MB")
