"""ClusterFit: clusters of a pretext task's features keep what is in the images and lose what was of the task alone."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.pretext.selfaugment import turned
from tacit.claims.training import Training, Untrained, judged
from tacit.data.samples import Samples
from tacit.evaluation.unlabelled.rotation import rotation_probe
from tacit.method import Batch, Encoder, Facts, Method, Stage
from tacit.methods.clustering.clusterfit import ClusterFit, Teacher
from tacit.methods.pretext.rotnet import RotNet
from tacit.objectives.prediction import cosine_distance
from tacit.run import Run

IMAGES, EPOCHS = 4_000, 12
SHARED: dict[str, Any] = {"size": 16, "width": 32, "warmup": 1, "batch": 128, "epochs": EPOCHS}
TURNED = {**SHARED, "batch": 32, "epoch_batches": 32}  # each image four times: as many looks as an epoch of the others
TEACHING = Training(RotNet, IMAGES, TURNED)


class Distilled(Method):
    """A fresh encoder that learns the directions of the teacher's features themselves, by a linear map of its own."""

    paper, views, recipe = ClusterFit.paper, ClusterFit.views, ClusterFit.small
    known: Tensor

    def __init__(self, encoder: Encoder, *, taught: Tensor):
        super().__init__(encoder)
        self.map, self.taught = nn.Linear(encoder.dim, taught.shape[1]), taught

    @classmethod
    def stages(cls):
        trained = yield Stage(Teacher)
        yield Stage(cls, encoder="fresh", taught=trained.embed())

    def prepare(self, facts: Facts) -> None:
        self.register_buffer("known", self.taught)

    def step(self, batch: Batch) -> Tensor:
        return cosine_distance(self.map(self.encoder(batch.views[0])), self.known[batch.index])


@lru_cache(maxsize=1)
def teacher(seed: int, quick: bool) -> tuple[tempfile.TemporaryDirectory, Run, Samples, Samples]:
    """RotNet, from which all students of a seed learn, in a folder that stays as long as it does."""
    folder = tempfile.TemporaryDirectory()
    return folder, *TEACHING.trained(Path(folder.name) / "run", seed, quick)


@dataclass(frozen=True)
class Taught:
    """What a method makes of RotNet's encoder; kNN, linear probe, and a probe of the turn of unseen images."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, seed: int, quick: bool) -> Measures:
        options = {**SHARED, **self.options, "init": teacher(seed, quick)[1]}
        with tempfile.TemporaryDirectory() as folder:
            return told(*Training(self.method, IMAGES, options).trained(Path(folder) / "run", seed, quick))


class Teaching:
    """The teacher itself."""

    def measure(self, seed: int, quick: bool) -> Measures:
        return told(*teacher(seed, quick)[1:])


def told(run: Run, train: Samples, test: Samples) -> Measures:
    learned, held = (turned(run, test.take(half)) for half in np.array_split(np.arange(len(test)), 2))
    return judged(run, "this encoder", train, test) | {"rotation": 100 * rotation_probe(learned, held).value}


def rule(found: Found) -> dict[str, bool]:
    return {
        "it is above the teacher": found.above("ClusterFit, 50", "RotNet"),
        "and above the teacher trained for as long as both": found.above("ClusterFit, 50", "RotNet, twice as long"),
        "it is above a student of the features themselves": found.above("ClusterFit, 50", "distilled"),
        "turns are told worse than by the teacher": found.above("RotNet", "ClusterFit, 50", "rotation"),
    }


CLAIM = Claim(
    says="A network trained from scratch on the clusters of another's features transfers better than the other one, than more "
    "training of it and than distillation (RotNet, ImageNet: 48.2 % to 53.6 %), and tells the pretext task worse.",
    here="4 000 images of cifar10-15k in place of ImageNet, seen at 16 pixels, small_resnet of width 32; RotNet of 12 epochs "
    "of batches of 128 looks (32 images turned four times) as teacher, 12 epochs for each student, who is of the same kind; "
    "10, 50 or 200 clusters; the linear probe; and a probe of turns on half of the test part, told on the other half. "
    "Two of the five seeds were added, by the rule for claims whose means all had the right sign.",
    arms={
        "untrained": Untrained(TEACHING),
        "RotNet": Teaching(),
        "RotNet, twice as long": Taught(RotNet, TURNED),
        "distilled": Taught(Distilled),
        "ClusterFit, 10": Taught(ClusterFit, {"clusters": 10}),
        "ClusterFit, 50": Taught(ClusterFit, {"clusters": 50}),
        "ClusterFit, 200": Taught(ClusterFit, {"clusters": 200}),
    },
    metric="linear",
    rule=rule,
    seeds=5,
)
