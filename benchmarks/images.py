"""Every image method on five sets: kNN, linear probe and RankMe beside raw pixels and the untrained encoder.

    TACIT_DATA=… python benchmarks/images.py                                        # all that is missing
    TACIT_DATA=… python benchmarks/images.py --set cifar10-15k --methods simclr byol --seeds 0

Each (set, method, seed) is a row of benchmarks/results/images-SET.json, stored when it is done; a row is run again only
where the recipe has changed since. What is compared with the method is a row of its own: raw pixels once for a set, an
untrained encoder once for a set, an encoder and a seed.

The rules, fixed beforehand: on cifar10-15k within the epochs below, kNN of SimCLR at least 14 points above raw pixels, of the
others at least 4; MAE's linear probe at least 3 above that of raw pixels and 6 above that of its untrained encoder; nothing
collapsed. No rule for the other sets. kNN has k = 20 and temperature 0.07. Omniglot is judged by episodes of 20-way 1-shot on
characters that pretraining never saw: one example each by one drawer, one query each by another.

Recipes were chosen by `chosen_by`, the same number within the training part (a fifth of it against the rest, by hash of the
id; on Omniglot episodes of training characters): that and nothing else is printed.
"""

import argparse
import fcntl
import json
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

import tacit
from tacit.data.known_sets import SETS
from tacit.data.samples import Samples
from tacit.data.splitting import by_hash, splits
from tacit.evaluation.labelled.knn import knn
from tacit.evaluation.panel import Judged, judge
from tacit.methods import find
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.representing import features, representations
from tacit.views.kinds import Plain

RESULTS = Path(__file__).parent / "results"
EPISODES, WAYS = 1000, 20
TOLD = {"knn", "linear", "rankme", "spread", "uniformity"}
METHODS = ["simclr", "dcl", "npid", "moco_v2", "byol", "simsiam", "barlow_twins", "vicreg", "swav", "dino", "mae"]


class Trial(NamedTuple):
    """How a set is trained on: the same for all methods but for the epochs named."""

    epochs: int
    options: dict[str, Any] = {}
    others: dict[str, int] = {}  # epochs by method
    seeds: dict[str, int] = {}  # how many seeds, where more than one


TRIALS = {
    "cifar10-15k": Trial(
        10, others={"simclr": 30, "byol": 20, "simsiam": 20, "npid": 20, "mae": 12, "swav": 15, "dino": 15}, seeds={"simclr": 3}
    ),
    "mnist-20k": Trial(1, {"flip": 0.0, "crop": [0.4, 1.0]}),
    "pneumonia-balanced": Trial(10, {"batch": 128}),
    "sign-digits": Trial(15, {"batch": 128, "size": 32}),
    "omniglot-small1": Trial(20, {"batch": 128, "flip": 0.0, "crop": [0.4, 1.0]}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", default=list(TRIALS), choices=list(TRIALS))
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--seeds", type=int, nargs="+", help="by default as many as the trial has")
    given = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two timings at once spoil both
        for name in given.set:
            for method in given.methods:
                for seed in given.seeds or range(TRIALS[name].seeds.get(method, 1)):
                    trial(name, method, seed)


def trial(name: str, method: str, seed: int) -> None:
    """Train and judge, unless the row is there; then store its rows."""
    file = RESULTS / f"images-{name}.json"
    rows = json.loads(file.read_text()) if file.exists() else []
    epochs = TRIALS[name].others.get(method, TRIALS[name].epochs)
    recipe = intended(method, {**TRIALS[name].options, "epochs": epochs})
    kept = [r for r in rows if (r["method"], r["seed"]) != (method, seed)]
    if any((r["method"], r["seed"], r.get("recipe")) == (method, seed, recipe) for r in rows):
        return
    pretrained_on, train, test = parts(name)
    begun, load = time.time(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run = tacit.pretrain(
            pretrained_on, method, out=Path(folder) / "run", seed=seed, epochs=epochs, quiet=True, **TRIALS[name].options
        )
        seconds = time.time() - begun
        log = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        shared = {
            "set": name,
            "sha256": SETS[name].sha256,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
            "command": f"python benchmarks/images.py --set {name} --methods {method} --seeds {seed}",
            "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        }
        about = {
            "encoder": run.config.encoder,
            "recipe": recipe,
            "precision": run.config.precision,
            "seconds": round(seconds, 1),
            "samples_per_second": float(
                np.median([line["samples_per_second"] for line in log if "samples_per_second" in line])
            ),
            "load_at_start": round(load, 2),
            "history": [[line["epoch"] + 1, line["knn"]] for line in log if "knn" in line],
        }
        for what, represent in representations(run).items():
            row = {"method": {"this encoder": method, "untrained encoder": f"untrained {run.config.encoder}"}.get(what, what)}
            row["seed"] = 0 if what == "raw input" else seed
            if what == "this encoder" or not any((r["method"], r["seed"]) == (row["method"], row["seed"]) for r in kept):
                judged = numbers(name, *(features(run, part, represent, Plain(), 0)[0] for part in (train, test)), train, test)
                kept.append(row | shared | judged | (about if what == "this encoder" else {}))
    beside = file.with_suffix(f".part-{os.getpid()}")
    beside.write_text(json.dumps(kept, indent=1))
    beside.replace(file)
    chosen_by = next(r["chosen_by"] for r in kept if (r["method"], r["seed"]) == (method, seed))
    print(f"{name} {method} seed {seed}: chosen by {chosen_by:.2f}, {seconds:.0f} s", flush=True)


def intended(method: str, options: dict[str, Any]) -> dict[str, Any]:
    """Every number of the recipe, as JSON gives it back; a row that was made by others is stale."""
    small = find(method).recipes["small"].as_dict()
    return json.loads(json.dumps({**small, **options}))


def parts(name: str) -> tuple[Samples, Samples, Samples]:
    """What is pretrained on, without labels, and what is judged on: training and test part."""
    samples = tacit.known(name)
    if name != "omniglot-small1":
        train, test, _ = splits(samples, seed=0)
        return samples, train, test  # pretraining takes the declared training part itself
    seen = by_hash([f"character {c}" for c in range(len(samples.classes))], test=0.4) == "train"
    train, test = (samples.take(np.flatnonzero(seen[samples.labels] == part)) for part in (True, False))
    return train, train, test


def numbers(name: str, x: Tensor, y: Tensor, train: Samples, test: Samples) -> dict[str, Any]:
    """All that is said of a representation: x of the training part, y of the test part."""
    if name == "omniglot-small1":
        found = {n.name: n for n in judge(Judged(x), Judged(y), only=TOLD)}
        few, inner = episodes(unit(y), test.labels), episodes(unit(x), train.labels)
        margin = 1.96 * few.std() / len(few) ** 0.5
        judged: dict[str, Any] = {
            "few_shot": [round(100 * float(v), 2) for v in (few.mean(), few.mean() - margin, few.mean() + margin)]
        }
        judged["chosen_by"] = round(100 * float(inner.mean()), 2)
    else:
        labels = torch.from_numpy(train.labels)
        found = {n.name: n for n in judge(Judged(x, labels), Judged(y, torch.from_numpy(test.labels)), only=TOLD)}
        held = torch.from_numpy(by_hash(train.ids) == "test")
        inner_knn = knn(x[~held], labels[~held], x[held], labels[held])
        judged = {m: [round(100 * v, 2) for v in (found[m].value, found[m].low, found[m].high)] for m in ("knn", "linear")}
        judged["chosen_by"] = round(100 * inner_knn.value, 2)
    return judged | {m: round(found[m].value, 4) for m in ("rankme", "spread", "uniformity")}


def episodes(z: Tensor, labels: np.ndarray) -> np.ndarray:
    """The share of queries answered right in each episode."""
    members = {c: np.flatnonzero(labels == c) for c in np.unique(labels)}
    characters, right = np.array(list(members)), np.empty(EPISODES)
    for episode in range(EPISODES):
        ways = characters[counter.permutation(counter.key("ways", episode), len(characters))[:WAYS]]
        shots = [members[c][counter.permutation(counter.key("drawers", episode, int(c)), len(members[c]))[:2]] for c in ways]
        support, query = np.array(shots).T
        right[episode] = (z[query] @ z[support].T).argmax(1).eq(torch.arange(WAYS)).float().mean()
    return right


if __name__ == "__main__":
    main()
