"""Dynamic subspace learners: as good as numbers of learners that are chosen beforehand, and better than a classifier."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.clustering.unicom import recall_at_1
from tacit.claims.training import QUICK
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.evaluation.labelled.clustering import clustering
from tacit.method import Batch, Encoder, Facts, Method
from tacit.methods.contrast.subspace_learners import SubspaceLearners
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

IMAGES = 1_000
SHARED: dict[str, Any] = {"size": 16, "width": 16, "depth": (1, 1), "flip": 0.0, "crop": (0.5, 1.0)}
SHARED |= {"epochs": 24, "warmup": 1}
RATE, CLASSIFIER_RATE = 5e-3, 2e-3  # of both the better one for it, on other digits of the training part, by one seed
LEFT = {"recall": 1.0, "nmi": 4.0}  # points by which it may be below a fixed number of learners


class Classifier(Method):
    """A linear classifier and all of its encoder, whose answer is what is judged."""

    paper, streams, recipe = SubspaceLearners.paper, SubspaceLearners.streams, SubspaceLearners.recipe

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def prepare(self, facts: Facts) -> None:
        self.head = nn.Linear(self.encoder.dim, facts.more["classes"])

    def step(self, batch: Batch) -> Tensor:
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), batch.labels)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Trained:
    """A method on labelled digits; how the test part is retrieved and clustered by it, and how many learners it has."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, seed: int, quick: bool) -> Measures:
        data = tiny_images(320) if quick else known("mnist-20k")
        train, test = data.split("train"), data.split("test")
        some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[:IMAGES]))
        some.splits = None  # all of them are trained on
        options = {**SHARED, **self.options, **({**QUICK, "epochs": 3} if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(some, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            (z,) = features(run, test, representations(run)["this encoder"], Plain(), 0)
            learners = learners_of(run)
        labels = torch.from_numpy(test.labels)
        nmi = {number.name: number.value for number in clustering(z, labels)}["nmi"]
        return {"recall": recall_at_1(unit(z), labels), "nmi": 100 * nmi, "learners": learners}


def learners_of(run: Run) -> int:
    """How many learners a run ended with; a classifier has none."""
    method: Any = run.whole()
    return method.subspaces.learners if isinstance(method, SubspaceLearners) else 0


def rule(found: Found) -> dict[str, bool]:
    dynamic = "dynamic learners"
    return {
        "learners come in every run": found.values(dynamic, "learners").min() > 1,
        **{
            f"by {metric} it is less than {LEFT[metric]:g} points below {fixed}": found.gap(dynamic, fixed, metric).low
            > -LEFT[metric]
            for metric in LEFT
            for fixed in ("one learner", "four learners")
        },
        "by recall it is above the classifier": found.above(dynamic, "classifier"),
        "by NMI it is above the classifier": found.above(dynamic, "classifier", "nmi"),
    }


CLAIM = Claim(
    says="Subspace learners that come as training needs them are as good as numbers of learners chosen beforehand, and better "
    "than a classification network in clustering and retrieval (ISIC19, MURA, HyperKvasir).",
    here="1 000 digits of mnist-20k, ten classes, seen at 16 pixels, for medical images, of which the set at hand has two; "
    "a fresh small_resnet of width 16 and depth (1, 1) in place of ImageNet's ResNet-50; 24 epochs, the last four joint, a "
    "patience of 2, rates of 0.005 and for the classifier 0.002; a tenth is held out by all but the classifier, which learns "
    "from it too; recall at 1 and NMI of k-means of the test part. Segmentation by attention is left out: there are no masks. "
    "(A run before, in which digits drawn twice in an epoch were seen alike, by a fault that is mended, met two of the seven "
    "conditions.)",
    arms={
        "classifier": Trained(Classifier, {"lr": CLASSIFIER_RATE}),
        "one learner": Trained(SubspaceLearners, {"lr": RATE, "most_learners": 1}),
        "four learners": Trained(SubspaceLearners, {"lr": RATE, "learners": 4, "most_learners": 4}),
        "dynamic learners": Trained(SubspaceLearners, {"lr": RATE, "patience": 2}),
    },
    metric="recall",
    rule=rule,
    seeds=5,
    why="Dynamic learners are level with one and with four, as is claimed, and with the classifier: 0.2 points above it by "
    "recall (± 0.5) and 0.1 by NMI (± 2.6), though a tenth is held out from them. A plain classifier tells 95.8 of 100 "
    "digits already, which leaves no room. No longer run was tried.",
)
