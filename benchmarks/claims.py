"""The claims of the catalogue's rows dcl, npid, simsiam and swav, run small on real images.

    TACIT_DATA=… python benchmarks/claims.py            # all that is missing
    TACIT_DATA=… python benchmarks/claims.py dcl npid

Every training is a row of benchmarks/results/claims.json, stored when it is done. The images are the first N of cifar10-15k's
training part in an order by counter; every encoder is judged by kNN (k = 20, temperature 0.07) of the whole test part
against the whole training part, with the intervals of its 3 000 images. One seed, unless --seeds says more. Rules, written
before the runs:

dcl      10 000 images, batches of 32, 64, 128 and 256, 300 steps each by the same recipe: DCL is above InfoNCE (SimCLR) at the
         smallest batch, and its gain there is the largest of the four.
npid     1 000, 4 000 and 15 000 images, 600 steps of 128: kNN grows with the number of images; at 15 000 it is above the
         untrained encoder's and above that of an autoencoder of the same encoder and steps. The row's proximal term, which the
         released code does not have, is tried too (weight 10): the loss of the last third varies less than without.
simsiam  5 000 images, 10 epochs of batches of 128: without the stop-gradient, or without the predictor, kNN falls by more than
         the half-widths of both intervals together, or the spread of the representation below half of SimSiam's.
swav     5 000 images, batches of 128, 10 epochs: above SimCLR at equal epochs; without equipartition fewer prototypes are used
         (the entropy of the mean code falls) and kNN is lower; with 6 small crops and as many fewer epochs (the same number of
         pixels) above without.
"""

import argparse
import fcntl
import json
import math
import os
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import tacit
from tacit.data.known_sets import SETS
from tacit.evaluation.panel import Judged, judge
from tacit.judging import features, representations
from tacit.method import Batch, Encoder, Facts, Method, Paper
from tacit.methods.clustering.swav import SwAV
from tacit.methods.contrast.npid import NPID
from tacit.methods.self_distillation.simsiam import SimSiam
from tacit.numerics import counter
from tacit.objectives.instance import instance_softmax
from tacit.objectives.prediction import cosine_distance
from tacit.parts.bank import Bank
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair, Plain, Single

FILE = Path(__file__).parent / "results" / "claims.json"
SET = "cifar10-15k"


class Training(NamedTuple):
    """One training of a claim: how many images, and what beside the small recipe."""

    method: str | type[Method]
    images: int
    options: dict[str, Any]


class Autoencoder(Method):
    """The pixels again from the encoder's answer: npid's baseline."""

    paper = Paper("Reducing the Dimensionality of Data with Neural Networks", "Hinton, Salakhutdinov", 2006, "Science 313")
    views = Single()
    recipe = NPID.recipes["small"].but(options={})

    def __init__(self, encoder: Encoder, *, hidden: int = 1024):
        super().__init__(encoder)
        self.hidden = hidden

    def prepare(self, facts: Facts):
        self.decoder = mlp(self.encoder.dim, self.hidden, math.prod(facts.shape))

    def step(self, batch: Batch):
        (view,) = batch
        return (self.decoder(self.encoder(view)).float() - view.flatten(1)).square().mean()


class ProximalNPID(Method):
    """NPID over the full bank with the paper's proximal term (equation 10)."""

    paper = NPID.paper
    views = Single()
    recipe = NPID.recipes["small"].but(options={})

    def __init__(self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.1, proximal: float = 10.0):
        super().__init__(encoder)
        self.projector = nn.Linear(encoder.dim, dim)
        self.dim, self.temperature, self.proximal = dim, temperature, proximal

    def prepare(self, facts: Facts):
        self.bank = Bank(facts.n, self.dim, 0.5)

    def step(self, batch: Batch):
        z = self.projector(self.encoder(batch.views[0])).float()
        batch.keep(z=z)
        moved = (nn.functional.normalize(z, dim=1) - self.bank.features[batch.index]).square().sum(1).mean()
        own = instance_softmax(z, self.bank.features, batch.index, self.temperature)
        return {"instance": own, "proximal": (moved, self.proximal)}

    def after_step(self, batch: Batch):
        self.bank.update(batch.index, batch.kept["z"])


class WithoutStop(Method):
    """SimSiam whose targets get gradient too."""

    paper, views, recipe = SimSiam.paper, Pair(), SimSiam.recipes["small"].but(options={})

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.inner = SimSiam(encoder, **SimSiam.recipes["small"].options)

    def step(self, batch: Batch):
        first, second = (self.inner.standardise(self.inner.projector(self.encoder(view))) for view in batch)
        return (cosine_distance(self.inner.predictor(first), second) + cosine_distance(self.inner.predictor(second), first)) / 2

    def groups(self):
        return {f"inner.{prefix}": how for prefix, how in self.inner.groups().items()}


class WithoutPredictor(Method):
    """SimSiam that compares projections themselves."""

    paper, views, recipe = SimSiam.paper, Pair(), SimSiam.recipes["small"].but(options={})

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        inner = SimSiam(encoder, **SimSiam.recipes["small"].options)
        self.projector, self.standardise = inner.projector, inner.standardise

    def step(self, batch: Batch):
        first, second = (self.standardise(self.projector(self.encoder(view))) for view in batch)
        return (cosine_distance(first, second.detach()) + cosine_distance(second, first.detach())) / 2


class Watched(Method):
    """SwAV that also tells the entropy of the mean code: the logarithm of how many prototypes are used."""

    paper, views, recipe = SwAV.paper, SwAV.views, SwAV.recipes["small"].but(options={})
    whole_batch = True

    def __init__(self, encoder: Encoder, *, equal: bool = True):
        super().__init__(encoder)
        self.inner, self.equal = SwAV(encoder, **SwAV.recipes["small"].options), equal
        balanced, self.used = self.inner.codes, torch.zeros(())

        def codes(scores: Tensor, view: int) -> Tensor:
            found = balanced(scores, view) if self.equal else (scores / self.inner.epsilon).softmax(1)
            mean = found.mean(0)
            self.used = -(mean * mean.clamp_min(1e-12).log()).sum()
            return found

        self.inner.codes = codes

    def step(self, batch: Batch):
        return {"swapped": self.inner.step(batch), "used": (self.used, 0.0)}

    def after_step(self, batch: Batch):
        self.inner.after_step(batch)


def trainings() -> dict[str, dict[str, Training]]:
    """Every claim's trainings by name; options say beside the small recipe what the claim fixes."""
    steps = {"epochs": 6, "epoch_batches": 50}
    batches = {
        f"{name}, batch {size}": Training(name, 10_000, {**steps, "batch": size, "lr": 1e-3, "warmup": 1})
        for size in (32, 64, 128, 256)
        for name in ("simclr", "dcl")
    }
    six_hundred = {"batch": 128, "epochs": 6, "epoch_batches": 100}
    sizes = {f"npid, {n} images": Training("npid", n, six_hundred) for n in (1_000, 4_000, 15_000)}
    half = {"batch": 128, "epochs": 10}
    return {
        "dcl": batches,
        "npid": sizes
        | {
            "autoencoder": Training(Autoencoder, 15_000, six_hundred),
            "with the proximal term": Training(ProximalNPID, 15_000, six_hundred),
        },
        "simsiam": {
            "simsiam": Training("simsiam", 5_000, half),
            "without the stop-gradient": Training(WithoutStop, 5_000, half),
            "without the predictor": Training(WithoutPredictor, 5_000, half),
            "simclr": Training("simclr", 5_000, half),
        },
        "swav": {
            "swav": Training(Watched, 5_000, half),
            "without equipartition": Training(Watched, 5_000, {**half, "equal": False}),
            # 2 views of 32² and 6 of 16² are 1.75 times the pixels of 2 views
            "with 6 small crops": Training(Watched, 5_000, {**half, "epochs": 6, "small_crops": 6}),
            "simclr": Training("simclr", 5_000, half),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("claims", nargs="*", default=list(trainings()), metavar="CLAIM")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    FILE.parent.mkdir(exist_ok=True)
    with (FILE.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two timings at once spoil both
        for claim in given.claims:
            for seed in given.seeds:
                for name, training in trainings()[claim].items():
                    rows = json.loads(FILE.read_text()) if FILE.exists() else []
                    if not any((r["claim"], r["name"], r["seed"]) == (claim, name, seed) for r in rows):
                        rows += row(claim, name, training, seed, any(r["name"] == "untrained" for r in rows))
                        beside = FILE.with_suffix(".part")
                        beside.write_text(json.dumps(rows, indent=1))
                        beside.replace(FILE)
                        print(claim, name, seed, rows[-1]["knn"], flush=True)


def row(claim: str, name: str, training: Training, seed: int, has_untrained: bool) -> list[dict[str, Any]]:
    data = tacit.known(SET)
    train, test = data.split("train"), data.split("test")
    some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[: training.images]))
    some.splits = None
    with tempfile.TemporaryDirectory() as folder:
        load = os.getloadavg()[0]
        run = tacit.pretrain(some, training.method, out=Path(folder) / "run", seed=seed, quiet=True, **training.options)
        log = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        found = []
        for what, represent in representations(run).items():
            if what == "this encoder" or (what == "untrained encoder" and not has_untrained):
                parts = (
                    Judged(features(run, part, represent, Plain(), 0)[0], torch.from_numpy(part.labels))
                    for part in (train, test)
                )
                numbers = {n.name: n for n in judge(*parts)}
                found.append(
                    {
                        "claim": claim,
                        "name": name if what == "this encoder" else "untrained",
                        "seed": seed,
                        "knn": [round(100 * v, 2) for v in (numbers["knn"].value, numbers["knn"].low, numbers["knn"].high)],
                        "linear": round(100 * numbers["linear"].value, 2),
                        "spread": round(numbers["spread"].value, 4),
                        "rankme": round(numbers["rankme"].value, 2),
                    }
                )
    losses = [line.get("instance", line["loss"]) for line in log if "loss" in line]
    found[0] |= {
        "images": training.images,
        "options": training.options,
        "loss_deviation": round(float(np.std(losses[-len(losses) // 3 :])), 4),
        "used": [round(line["used"], 3) for line in log if "used" in line][-1:],
        "set": SET,
        "sha256": SETS[SET].sha256,
        "load_at_start": round(load, 2),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "command": f"python benchmarks/claims.py {claim} --seeds {seed}",
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
    }
    return found[::-1]


if __name__ == "__main__":
    main()
