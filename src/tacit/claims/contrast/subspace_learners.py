"""Dynamic subspace learners: as good as a number of learners that is chosen beforehand, and better than a classifier."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.clustering.unicom import recall_at_1
from tacit.claims.training import QUICK
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.evaluation.labelled.clustering import clustering
from tacit.method import Batch, Encoder, Facts, Method
from tacit.methods.contrast.subspace_learners import SubspaceLearners
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.views.kinds import Plain

IMAGES = 2_000
SHARED: dict[str, Any] = {"size": 16, "width": 24, "epochs": 30, "recipe": "small"}


class Classifier(Method):
    """A linear classifier and all of its encoder, whose answer is what is judged."""

    paper, streams, recipes = SubspaceLearners.paper, SubspaceLearners.streams, SubspaceLearners.recipes

    def __init__(self, encoder: Encoder, *, patience: int = 0):
        super().__init__(encoder)

    def prepare(self, facts: Facts) -> None:
        self.head = nn.Linear(self.encoder.dim, facts.more["classes"])

    def step(self, batch: Batch):
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), batch.labels)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Trained:
    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, seed: int, quick: bool) -> Measures:
        train, test = parts(quick)
        options = {**SHARED, **self.options, **(QUICK if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(train, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            (z,) = features(run, test, representations(run)["this encoder"], Plain(), 0)
            method: Any = run.whole()
        labels = torch.from_numpy(test.labels)
        nmi = {number.name: number.value for number in clustering(z, labels)}["nmi"]
        learners = method.subspaces.learners if self.method is SubspaceLearners else 0
        return {"recall": recall_at_1(unit(z), labels), "nmi": 100 * nmi, "learners": learners}


def parts(quick: bool) -> tuple[Samples, Samples]:
    data = tiny_images(320) if quick else known("cifar10-15k")
    train, test = data.split("train"), data.split("test")
    some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[:IMAGES]))
    some.splits = None  # all of them are trained on
    return some, test
