"""A table larger than memory: opening a CSV of many rows, learning its statistics and training on it, beside one of few rows.

    python benchmarks/tables.py            # 1 and 25 million rows, each in a process of its own; 3 GB of disk for a while

The rule, fixed before the run: memory of the process's own (what is mapped from files apart) grows by at most 64 bytes a row,
where a row of the file has about 110. Columns: six numbers, of which one has gaps, categories of a thousand and of a million
values, a date.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import rows

SMALL, LARGE = 1_000_000, 25_000_000
LIMIT = 64  # bytes a row


def larger() -> rows.Row:
    with tempfile.TemporaryDirectory() as folder:
        few, many = (measured(Path(folder) / f"{count}.csv", count) for count in (SMALL, LARGE))
    bytes_a_row = (many["own MiB at the peak"] - few["own MiB at the peak"]) * 2**20 / (LARGE - SMALL)
    return {"few": few, "many": many, "bytes a row": round(bytes_a_row, 1), "holds": bytes_a_row <= LIMIT}


def measured(file: Path, count: int) -> rows.Row:
    write(file, count)
    told = subprocess.run([sys.executable, __file__, str(file)], capture_output=True, text=True, check=True).stdout
    found: rows.Row = json.loads(told.splitlines()[-1])
    found |= {"rows": count, "file MiB": round(file.stat().st_size / 2**20)}
    file.unlink()
    return found


def write(file: Path, count: int, chunk: int = 250_000) -> None:
    import pyarrow as pa
    from pyarrow import csv

    draw = np.random.default_rng(0)
    names = [*(f"number_{i}" for i in range(6)), "category", "customer", "day"]
    schema = pa.schema([(name, pa.date32() if name == "day" else pa.string()) for name in names])
    with csv.CSVWriter(file, schema) as out:
        for start in range(0, count, chunk):
            n = min(chunk, count - start)
            gaps = draw.random(n) < 0.1
            columns = [
                pa.array(draw.normal(size=n).round(6), mask=gaps if i == 5 else None).cast(pa.string()) for i in range(6)
            ]
            columns += [pa.array(np.char.add("kind ", draw.integers(0, 1000, n).astype(str)))]
            columns += [pa.array(np.char.add("customer ", draw.integers(0, 1_000_000, n).astype(str)))]
            columns += [pa.array(draw.integers(0, 20_000, n).astype(np.int32)).cast(pa.date32())]
            out.write(pa.record_batch(columns, schema))


def alone(file: str) -> None:
    """Open the file and train on it, and print what that took."""
    import tacit
    from tacit.data import open as open_source

    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], rows.resident("RssAnon"))

    watching = threading.Thread(target=watch)
    watching.start()
    begun = time.perf_counter()
    samples = open_source(file)
    opened = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tacit.pretrain(samples, "simclr", out=Path(folder) / "run", epochs=1, epoch_batches=20, batch=512, warmup=0, quiet=True)
    done.set()
    watching.join()
    seconds = {"seconds to open": round(opened - begun, 1), "seconds to train": round(time.perf_counter() - opened, 1)}
    print(json.dumps({**seconds, "own MiB at the peak": round(peak[0] / 1024)}))


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].endswith(".csv"):
        alone(sys.argv[1])
    else:
        rows.main(__doc__, "tables.json", {"larger than memory": rows.Measure(larger, (measured, write, alone))}, {})
