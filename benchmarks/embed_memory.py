"""Peak memory of embedding a folder of 1 000 and of 100 000 small images into a table, each in a process of its own.

    python benchmarks/embed_memory.py

The rule: 100 000 take at most 200 MB more than 1 000. Images are generated; the result goes to
benchmarks/results/embed_memory.json with the rate beside that of the encoder alone.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    import tacit
    from tacit.data.generated import tiny_images, write

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = tiny_images(1000, size=32)
        write(made, folder / "one")
        tacit.pretrain(made, out=folder / "run", epochs=1, quiet=True)
        originals = sorted((folder / "one").rglob("*.png"))
        for copy in range(100):  # the same files under other names: what is read and written is as large
            (folder / "many" / f"{copy:03d}").mkdir(parents=True)
            for number, file in enumerate(originals):
                os.link(file, folder / "many" / f"{copy:03d}" / f"{number:04d}.png")
        found = {name: embedded(folder, name) for name in ("one", "many")}
    more = found["many"]["peak_mb"] - found["one"]["peak_mb"]
    result = {
        **found,
        "more_mb": round(more, 1),
        "holds": more <= 200,
        "load": os.getloadavg()[0],
        "command": "python benchmarks/embed_memory.py",
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "embed_memory.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def embedded(folder: Path, name: str) -> dict:
    told = subprocess.run([sys.executable, __file__, str(folder), name], capture_output=True, text=True, check=True).stdout
    return json.loads(told.splitlines()[-1])


def alone(folder: Path, name: str) -> None:
    import tacit

    begun = time.perf_counter()
    table = tacit.embed(folder / "run", folder / name, out=folder / f"{name}.lance")
    seconds = time.perf_counter() - begun
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1024  # of this program alone: getrusage counts what started it too
    print(json.dumps({"images": len(table), "peak_mb": round(peak, 1), "images_per_second": round(len(table) / seconds, 1)}))


if __name__ == "__main__":
    alone(Path(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 1 else main()
