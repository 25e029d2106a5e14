"""Planted faults and healthy runs: which alarms a training raises, how early, and at what.

    TACIT_DATA=… python benchmarks/faults.py                                          # all that is missing
    TACIT_DATA=… python benchmarks/faults.py --set omniglot-small1 --seeds 2          # healthy runs with two seeds each
    TACIT_DATA=… python benchmarks/faults.py --set mnist-20k --runs simsiam byol      # these alone, anew

Each short run is a row of benchmarks/results/faults-SET.json, stored when it is done: the alarms with their step, the signals
of every look, and the linear accuracy in the end, of the test part from the images trained on, which says what the fault has
cost. The thresholds of src/tacit/training/alarms.py were set on cifar10-15k, mnist-20k and pneumonia-balanced, and frozen
before anything was run on omniglot-small1.

Twice a set on which nothing had been set showed what was wrong, and was untouched no longer. On mnist-20k SimSiam without its
predictor was named at 47 % of the run, and two of 15 healthy runs raised an alarm: MAE, whose untrained encoder has little
spread, and Barlow Twins, whose representation narrows. Since then collapse is judged by the first look, and agreement by the
projections, normalised as the loss sees them. On pneumonia-balanced, with thresholds frozen beforehand, SimSiam without its
predictor was named at 12.5 %, one look late, and two of 31 healthy runs raised an alarm: SimSiam at 47 %, which there tells
samples apart no better than before training, and BYOL at 78 %. Since then agreement is named in the first fifth of a stage
only, where the planted faults showed it; no number was changed. The runs on omniglot-small1 are 400 steps long, so that a tenth
holds four looks; of the other sets' 320 it holds three. The rows of a set keep the alarms of the commits named there.

The rule, fixed beforehand: on the sets on which nothing was set, every fault is named within the first tenth of its run, and
thirty healthy runs or more raise at most one alarm in all.
"""

import argparse
import fcntl
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import tacit
from tacit.claims.self_distillation.simsiam import WithoutPredictor, WithoutStop
from tacit.data.known_sets import SETS
from tacit.data.splitting import splits
from tacit.errors import TacitError
from tacit.evaluation.labelled.linear import linear
from tacit.judging.telling import history
from tacit.method import Method
from tacit.numerics import counter
from tacit.representing import features, representations
from tacit.training.signals import Signals
from tacit.views.kinds import Plain

RESULTS = Path(__file__).parent / "results"
SET_ON, TRIED_ON = ("cifar10-15k", "mnist-20k", "pneumonia-balanced"), ("omniglot-small1",)
SHARED: Mapping[str, Mapping[str, Any]] = {  # every run of a set has the same number of steps, and a tenth is 30 or more
    "cifar10-15k": {"size": 16, "batch": 64, "epochs": 8, "epoch_batches": 40, "warmup": 1},
    "mnist-20k": {"size": 20, "batch": 64, "epochs": 8, "epoch_batches": 40, "warmup": 1},
    "pneumonia-balanced": {"size": 16, "batch": 32, "epochs": 8, "epoch_batches": 40, "warmup": 1},
    "omniglot-small1": {"size": 16, "batch": 32, "epochs": 10, "epoch_batches": 40, "warmup": 1},
}
IMAGES = 3000
SEEN = ("step", "usual_overlap", *Signals._fields)
TINY = {"crop": [0.01, 0.02]}


class Planted(NamedTuple):
    """A run, and the cause that should be named; "" for a healthy one."""

    method: str | type[Method]
    options: Mapping[str, Any] = {}
    cause: str = ""


FAULTS = {
    "simsiam, target not detached": Planted(WithoutStop, {}, "stop-gradient"),
    "simsiam, no predictor": Planted(WithoutPredictor, {}, "stop-gradient"),
    "vicreg, nothing that spreads": Planted("vicreg", {"variance": 0.0, "covariance": 0.0}, "stop-gradient"),
    "simclr, temperature 0.005": Planted("simclr", {"temperature": 0.005}, "temperature"),
    "dcl, temperature 0.005": Planted("dcl", {"temperature": 0.005}, "temperature"),
    "simclr, batch 4": Planted("simclr", {"batch": 4}, "batch"),
    "barlow_twins, batch 4": Planted("barlow_twins", {"batch": 4}, "batch"),
    "simclr, lr 0.1": Planted("simclr", {"lr": 0.1}, "learning rate"),
    "simclr, lr 10": Planted("simclr", {"lr": 10.0}, "learning rate"),
    "byol, lr 1": Planted("byol", {"lr": 1.0}, "learning rate"),
    "vicreg, lr 1": Planted("vicreg", {"lr": 1.0}, "learning rate"),
    "simclr, tiny crops": Planted("simclr", TINY, "views"),
    "byol, tiny crops": Planted("byol", TINY, "views"),
    "barlow_twins, tiny crops": Planted("barlow_twins", TINY, "views"),
}
HEALTHY = {
    "simclr": Planted("simclr"),
    "simclr, temperature 0.2": Planted("simclr", {"temperature": 0.2}),
    "simclr, temperature 0.5": Planted("simclr", {"temperature": 0.5}),
    "simclr, lr 0.001": Planted("simclr", {"lr": 0.001}),
    "dcl": Planted("dcl"),
    "moco_v2": Planted("moco_v2"),
    "npid": Planted("npid"),
    "byol": Planted("byol"),
    "byol, lr 0.001": Planted("byol", {"lr": 0.001}),
    "simsiam": Planted("simsiam"),
    "barlow_twins": Planted("barlow_twins"),
    "vicreg": Planted("vicreg"),
    "vicreg, lr 0.001": Planted("vicreg", {"lr": 0.001}),
    "swav": Planted("swav"),
    "dino": Planted("dino"),
    "mae": Planted("mae"),
}
ONCE = ("mae",)  # takes as long as six others


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", default=[*SET_ON, *TRIED_ON], choices=list(SHARED))
    parser.add_argument("--seeds", type=int, default=1, help="of healthy runs")
    parser.add_argument("--runs", nargs="+", default=[], help="these alone, and again where they have been run")
    RESULTS.mkdir(exist_ok=True)
    given = parser.parse_args()
    seeds = [f"{run}, seed {seed}" for seed in range(1, given.seeds) for run in HEALTHY if run not in ONCE]
    with (RESULTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in given.set:
            file = RESULTS / f"faults-{name}.json"
            rows = json.loads(file.read_text()) if file.exists() else []
            done = [(r["run"], r["options"]) for r in rows]
            missing = [run for run in (*FAULTS, *HEALTHY, *seeds) if (run, options(name, run)) not in done]
            for made in (row(name, run) for run in given.runs or missing):
                rows = [r for r in rows if r["run"] != made["run"]] + [made]
                beside = file.with_suffix(".part")
                beside.write_text(json.dumps(rows, indent=1))
                beside.replace(file)
                print(name, made["run"], made["alarms"], made["linear"], flush=True)


def planted(run: str) -> Planted:
    """A run by its name, of which the seed may be a part."""
    name, _, seed = run.partition(", seed ")
    found = {**FAULTS, **HEALTHY}[name]
    return found._replace(options={**found.options, "seed": int(seed)}) if seed else found


def options(name: str, run: str) -> dict[str, Any]:
    return {**SHARED[name], **planted(run).options}


def row(name: str, run: str) -> dict[str, Any]:
    train, test, _ = splits(tacit.known(name), seed=0)
    order = counter.permutation(counter.key("faults"), len(train))
    some = train.take(np.sort(order[:IMAGES]))
    of_train, of_test = (torch.from_numpy(part.labels) for part in (some, test))
    some.splits = some.labels = None  # what is trained sees neither
    given = options(name, run)
    steps, began, load = given["epochs"] * given["epoch_batches"], time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        out, reached = Path(folder) / "run", float("nan")
        try:
            trained = tacit.pretrain(some, planted(run).method, out=out, quiet=True, **given)
            represent = representations(trained)["this encoder"]
            (x,), (y,) = (features(trained, part, represent, Plain(), 0) for part in (some, test))
            reached = 100 * linear(x, of_train, y, of_test).value
        except TacitError as stopped:  # a training that diverged says so, and its log too
            print(run, stopped)
        lines = history(out)
    told = [(line["alarm"], line["step"]) for line in lines if "alarm" in line]
    return {
        "run": run,
        "options": given,
        "cause": planted(run).cause,
        "alarms": [[alarm, step, round(step / steps, 4)] for alarm, step in told],
        "signals": [{name: line.get(name) for name in SEEN} for line in lines if "effective_rank" in line],
        "linear": None if np.isnan(reached) else round(reached, 2),
        "steps": steps,
        "seconds": round(time.monotonic() - began, 1),
        "load_at_start": round(load, 2),
        "sha256": SETS[name].sha256,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "command": f"python benchmarks/faults.py --set {name}",
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
    }


if __name__ == "__main__":
    main()
