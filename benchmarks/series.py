"""Time series: a row per set and method, beside the scaled series themselves and the untrained encoder.

    TACIT_DATA=… python benchmarks/series.py                                    # all that is missing
    TACIT_DATA=… python benchmarks/series.py --set gunpoint --method simclr

Sets of many series are judged by 1-NN, kNN and the linear probe on their own test part, etth1 by forecasts and ucr-anomaly-135
by the AUROC of its windows. One recipe for all methods; nothing was tuned on a test part. Each row of
benchmarks/results/series.jsonl is written as it is done, and a row that is there is not computed again.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import tacit
from tacit.data import known
from tacit.data.known_sets import SETS as KNOWN

RESULTS = Path(__file__).parent / "results" / "series.jsonl"
SETS = {  # epochs, and the size of a batch
    "italypowerdemand": (40, 32),
    "gunpoint": (40, 16),
    "basicmotions": (40, 16),
    "japanesevowels": (40, 64),
    "pickupgesturewiimotez": (40, 16),
    "etth1": (4, 64),
    "ucr-anomaly-135": (10, 32),
}
METHODS = ("simclr", "vicreg", "byol", "isoalign", "cpc", "mae")
OWN = {"cpc": {"ahead": 2, "negatives": 64, "hop": 1}, "mae": {"decoder_width": 96, "decoder_depth": 2, "decoder_heads": 3}}
SHARED = {"optimizer": "adamw", "scale": "none", "lr": 1e-3, "weight_decay": 1e-4, "warmup": 0}
SHOWN = ("one_nearest", "knn", "linear", "forecast_mse_24", "forecast_mse_168", "anomaly_auroc", "anomaly_found")


def rows() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def row(name: str, method: str, seed: int) -> dict:
    """Train a method on a set and judge it."""
    epochs, batch = SETS[name]
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        options = {**SHARED, "epochs": epochs, "batch": batch, **OWN.get(method, {})}
        run = tacit.pretrain(known(name), method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
        seconds = time.process_time() - began
        found = tacit.evaluate(run, known(name))
        encoder = run.config.encoder
    numbers = {
        who: {n.name: round(n.value, 4) for n in several if n.name in SHOWN and n.value == n.value}
        for who, several in found.representations.items()
    }
    about = {"set": name, "sha256": KNOWN[name].sha256[:12], "method": method, "encoder": encoder, "seed": seed, **options}
    return {**about, "cpu_seconds": round(seconds, 1), "numbers": numbers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, action="append")
    parser.add_argument("--method", choices=METHODS, action="append")
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    done = {(r["set"], r["method"], r["seed"]) for r in rows()}
    for name in asked.set or SETS:
        for method in asked.method or METHODS:
            for seed in range(asked.seeds):
                if (name, method, seed) in done:
                    continue
                found = row(name, method, seed)
                with RESULTS.open("a") as lines:
                    lines.write(json.dumps(found) + "\n")
                print(name, method, seed, found["numbers"], flush=True)


if __name__ == "__main__":
    main()
