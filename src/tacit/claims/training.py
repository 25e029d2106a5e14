"""The arm that most claims compare: an encoder pretrained on some images, and how its representation is judged."""

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tacit.claims.claim import Measures
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.evaluation.labelled.knn import knn
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.unlabelled.rankme import rankme
from tacit.evaluation.unlabelled.spread import spread
from tacit.method import Method
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

QUICK = {"epochs": 1, "epoch_batches": 2, "batch": 32, "warmup": 0}  # in place of what a claim fixes


UNTRAINED = {"epochs": 1, "epoch_batches": 1, "warmup": 0}  # of what needs a run and nothing trained


@dataclass(frozen=True)
class Training:
    """Pretrain on so many images of a known set's training part, and judge against all of it on its test part.

    Measured are kNN (k = 20, temperature 0.07) and the linear probe in per cent, RankMe and spread of the test part, how much
    the loss, or its `term`, wavers, and what `watched` names of the log's last line.
    """

    method: type[Method]
    images: int
    options: Mapping[str, Any] = field(default_factory=dict)
    set: str = "cifar10-15k"
    watched: tuple[str, ...] = ()
    term: str = "loss"

    def measure(self, seed: int, quick: bool) -> Measures:
        with tempfile.TemporaryDirectory() as folder:
            run, train, test = self.trained(Path(folder) / "run", seed, quick)
            lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        told = [line for line in lines if "loss" in line]
        seen = {"wavering": wavering([line[self.term] for line in told])} | {name: told[-1][name] for name in self.watched}
        return judged(run, "this encoder", train, test) | seen

    def trained(self, folder: Path, seed: int, quick: bool) -> tuple[Run, Samples, Samples]:
        """The run, and the parts by which it is judged."""
        data = tiny_images(320) if quick else known(self.set)
        train, test = data.split("train"), data.split("test")
        some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[: self.images]))
        some.splits = None  # all of them are trained on
        options = {**self.options, **(QUICK if quick else {})}
        return pretrain(some, self.method, out=folder, seed=seed, quiet=True, **options), train, test


@dataclass(frozen=True)
class Untrained:
    """The encoder of a training before it begins."""

    like: Training

    def measure(self, seed: int, quick: bool) -> Measures:
        with tempfile.TemporaryDirectory() as folder:
            short = {**self.like.options, "epochs": 1, "epoch_batches": 1, "warmup": 0}
            arm = Training(self.like.method, self.like.images, short, self.like.set)
            run, train, test = arm.trained(Path(folder) / "run", seed, quick)
        return judged(run, "untrained encoder", train, test)


def wavering(losses: list[float]) -> float:
    """Standard deviation over the last third of a log without its trend: of the steps from line to line, over √2."""
    steps = np.diff(losses[-max(len(losses) // 3, 2) :])
    return float(np.sqrt(np.square(steps).mean() / 2)) if len(steps) else math.nan


def judged(run: Run, which: str, train: Samples, test: Samples) -> Measures:
    """What is said of a representation of the test part, predicted from the training part."""
    represent = representations(run)[which]
    (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in (train, test))
    of_train, of_test = (torch.from_numpy(part.labels) for part in (train, test))
    return {
        "knn": 100 * knn(x, of_train, y, of_test).value,
        "linear": 100 * linear(x, of_train, y, of_test).value,
        "rankme": rankme(y).value,
        "spread": spread(y).value,
    }
