"""Methods on the CIFAR-10 subset: kNN and linear accuracy beside raw pixels and the untrained encoder.

    TACIT_DATA=… python benchmarks/cifar10.py simclr npid --seeds 0 1 2

Every (method, seed) is a row of benchmarks/results/cifar10.json, stored when it is done; rows that are there are not run
again. The rule, fixed beforehand: kNN (k = 20, temperature 0.07) of SimCLR at least 14 points above raw pixels within 40
epochs, of NPID at least 4. `--holdout` judges on a fifth of the training part instead of the test part, for choosing
recipes; its rows go to another file.
"""

import argparse
import fcntl
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import tacit
from tacit.data.splitting import by_hash

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", default="cifar10-15k", help="a known set")
    parser.add_argument("--holdout", action="store_true")
    parser.add_argument("--options", default="{}", help="JSON of options beside the method's defaults")
    given = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / (f"{given.set}-holdout.json" if given.holdout else f"{given.set}.json")
    with (RESULTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two timings at once spoil both
        for method in given.methods:
            for seed in given.seeds:
                options = json.loads(given.options)
                rows = json.loads(file.read_text()) if file.exists() else []
                if any((r["method"], r["seed"], r["options"]) == (method, seed, options) for r in rows):
                    continue
                rows.append(row(method, seed, options, given))
                beside = file.with_suffix(".part")
                beside.write_text(json.dumps(rows, indent=1))
                beside.replace(file)
                print(
                    json.dumps({k: rows[-1][k] for k in ("method", "seed", "options", "knn", "linear", "seconds")}), flush=True
                )


def row(method: str, seed: int, options: dict, given: argparse.Namespace) -> dict:
    data = tacit.known(given.set)
    if given.holdout:
        data = data.split("train")
        data.splits = by_hash(data.ids)
    begun, load = time.time(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run = tacit.pretrain(data, method, out=Path(folder) / "run", seed=seed, **options)
        seconds = time.time() - begun
        judged = tacit.evaluate(run, data, seed=seed)
        log = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        numbers = {name: {n.name: [n.value, n.low, n.high] for n in found} for name, found in judged.representations.items()}
        knn = {name: round(100 * found["knn"][0], 2) for name, found in numbers.items()}
        linear = {name: round(100 * found["linear"][0], 2) for name, found in numbers.items()}
        return {
            "method": method,
            "seed": seed,
            "options": options,
            "set": given.set,
            "judged_on": "a fifth of the training part" if given.holdout else "the test part",
            "knn": knn,
            "above_raw": round(knn["this encoder"] - knn["raw input"], 2),
            "linear": linear,
            "numbers": numbers,
            "recipe": run.config.recipe_name,
            "encoder": run.config.encoder,
            "precision": run.config.precision,
            "epochs": 1 + log[-1]["epoch"],
            "seconds": round(seconds, 1),
            "samples_per_second": float(np.median([line["samples_per_second"] for line in log])),
            "load_at_start": load,
            "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
            "command": "python benchmarks/" + shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        }


if __name__ == "__main__":
    main()
