"""What docs/billion.md plans with and no other benchmark measures: how fast one process writes a table, and how large a row is.

    OMP_NUM_THREADS=1 python benchmarks/billion.py

Rows of 256 numbers with an id, a path, a label and a picture of 700 bytes, in batches of 256, go to a table in a temporary
folder, as `tacit embed` writes them; numbers and pictures are random, so that nothing is compressed. There is no rule: the page
says what follows.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.rows import Rows
from tacit.embeddings.write import sole_writer, write

ROWS, D, BATCH, PICTURE = 50_000, 256, 256, 700
OUT = Path(__file__).parent / "results" / "billion.json"


def main() -> None:
    random = np.random.default_rng(0)

    def batches():
        for start in range(0, ROWS, BATCH):
            count = min(BATCH, ROWS - start)
            ids = [f"folder/{number:08d}.jpg" for number in range(start, start + count)]
            vectors, pictures = random.random((count, D), np.float32), [random.bytes(PICTURE) for _ in range(count)]
            yield Rows(ids, [f"/data/{name}" for name in ids], ["class"] * count, vectors, pictures)

    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        provenance = Provenance("run", "encoder", "dense", "cosine", D, "image", "0", "generated")
        start, used = time.perf_counter(), time.process_time()
        with sole_writer(Path(folder) / "t.lance") as place:
            write(place, batches(), provenance, total=ROWS)
        seconds, processor = time.perf_counter() - start, time.process_time() - used
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    found = {
        "n": {"rows": ROWS, "d": D, "batch": BATCH, "bytes of a picture": PICTURE},
        "rows a second": round(ROWS / seconds),
        "rows a second of the processor": round(ROWS / processor),
        "bytes a row": size / ROWS,
        "load": [before, os.getloadavg()[0]],
        "commit": commit,
        "command": "python benchmarks/billion.py",
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
