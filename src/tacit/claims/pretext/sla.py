"""SLA: joint labels of class and rotation beat both as two tasks, and rotations that are to change nothing."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.claims.claim import Claim, Found, Measures, interval
from tacit.claims.training import QUICK
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.method import Batch, Encoder, Facts, Method
from tacit.methods.pretext.sla import SLA, averaged
from tacit.numerics import counter
from tacit.parts.images.turns import TURNS, turns
from tacit.pretraining import pretrain
from tacit.representing import features
from tacit.views.kinds import Plain

IMAGES, RAREST = 2_000, 0.1  # trained on; of the rarest class, where classes differ, as a share of the most frequent
SHARED = {"size": 16, "epochs": 48, "warmup": 1, "width": 24}
UNEVEN = 120  # epochs where classes differ, of fewer images: as many steps


class Classifier(Method):
    """A linear classifier of the image as it is, and all of its encoder."""

    paper, streams, recipe = SLA.paper, SLA.streams, SLA.recipes["small"]

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def prepare(self, facts: Facts) -> None:
        self.head = nn.Linear(self.encoder.dim, facts.more["classes"])

    def step(self, batch: Batch):
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), batch.labels)  # type: ignore[arg-type]

    def answers(self, x: Tensor) -> dict[str, Tensor]:
        return {"accuracy": self.head(self.encoder(x))}


class Turned(Method):
    """The same of all four rotations, which are to change nothing; or which a second head is to tell, with a weight."""

    paper, streams, recipe = SLA.paper, SLA.streams, SLA.recipes["small"]

    def __init__(self, encoder: Encoder, *, told: float = 0.0):
        super().__init__(encoder)
        self.told, self.tell = told, nn.Linear(encoder.dim, TURNS)

    def prepare(self, facts: Facts) -> None:
        self.head = nn.Linear(self.encoder.dim, facts.more["classes"])

    def step(self, batch: Batch):
        turned, which = turns(batch.views[0])
        z, labels = self.encoder(turned), batch.labels
        assert labels is not None  # the stream carries them
        told = cross_entropy(self.tell(z).float(), which)
        return {"class": cross_entropy(self.head(z).float(), labels.repeat(TURNS)), "rotation": (told, self.told)}

    def answers(self, x: Tensor) -> dict[str, Tensor]:
        return {"accuracy": self.head(self.encoder(x))}


class Joint(Method):
    """SLA, judged by all copies together, by the image as it is and joint labels, and by the distilled head."""

    paper, streams, recipe = SLA.paper, SLA.streams, SLA.recipes["small"]

    def __init__(self, encoder: Encoder, *, distillation: float = 0.0):
        super().__init__(encoder)
        self.inner, self.distilled = SLA(encoder, distillation=distillation), distillation > 0

    def step(self, batch: Batch):
        return self.inner.step(batch)

    def answers(self, x: Tensor) -> dict[str, Tensor]:
        joint, single = self.inner.answers(x)
        together = averaged(joint, self.inner.copies)
        return {
            "accuracy": single if self.distilled else together,
            "together": together,
            "as it is": joint[:, 0, :: self.inner.copies],
        }


@dataclass(frozen=True)
class Classifying:
    """A classifier from labels; accuracies on the test part, whose classes are of one size, in per cent."""

    method: type[Method]
    options: dict[str, Any] = field(default_factory=dict)
    uneven: bool = False

    def measure(self, seed: int, quick: bool) -> Measures:
        data = tiny_images(640) if quick else known("cifar10-15k")
        train, test = data.split("train"), data.split("test")
        some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[:IMAGES]))
        if self.uneven:
            some = thinned(some)
        some.splits = None  # all of them are trained on
        length = {"epochs": UNEVEN} if self.uneven else {}
        options: dict[str, Any] = {**SHARED, **length, **self.options, **(QUICK if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(some, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            method: Any = run.whole().eval()
            names = list(method.answers(torch.zeros(1, *run.facts.shape)))
            said = features(run, test, lambda b: torch.stack([*method.answers(b.views[0]).values()], 1), Plain(), 0)[0]
        right = (said.argmax(2) == torch.from_numpy(test.labels)[:, None]).float().mean(0)
        return {name: 100 * float(value) for name, value in zip(names, right)}


def thinned(samples: Samples) -> Samples:
    """Fewer of each further class, by equal factors down to a tenth of the first."""
    labels = samples.labels
    assert labels is not None  # as the sets used here have
    share = RAREST ** (np.arange(labels.max() + 1) / labels.max())
    kept = [rows[: max(1, round(len(rows) * share[c]))] for c in range(len(share)) if len(rows := np.flatnonzero(labels == c))]
    return samples.take(np.sort(np.concatenate(kept)))


def rule(found: Found) -> dict[str, bool]:
    together, alone = found.values("SLA"), found.values("SLA", "as it is")
    return {
        "all copies together are above the classifier": found.above("SLA", "classifier"),
        "above rotations that are to change nothing": found.above("SLA", "rotations as augmentation"),
        "above class and rotation as two tasks": found.above("SLA", "two tasks"),
        "and above its own answer by the image as it is": interval(together - alone).low > 0,
        "distilled, the image alone is above the classifier": found.above("SLA, distilled", "classifier"),
        "and above the joint labels' answer by the image as it is": interval(found.values("SLA, distilled") - alone).low > 0,
        "where classes differ in size too": found.above("SLA, uneven", "classifier, uneven"),
    }


CLAIM = Claim(
    says="Joint labels of class and rotation classify better than both as two tasks or rotations as augmentation (CIFAR-10: "
    "94.5 % in place of 92.4 %, from memory), also with few or unevenly many labels, and a distilled head needs one forward.",
    here="2 000 labelled images of cifar10-15k seen at 16 pixels, or 834 of unequal classes, the last a tenth of the first, "
    "small_resnet of width 24 in place of ResNet-32; 720 steps of batches of 128, of which all but the classifier make "
    "four rotations; accuracy on the test part. (A first run, of 150 steps and 60 where classes differ, met four of the "
    "seven conditions.)",
    arms={
        "classifier": Classifying(Classifier),
        "rotations as augmentation": Classifying(Turned),
        "two tasks": Classifying(Turned, {"told": 1.0}),
        "SLA": Classifying(Joint),
        "SLA, distilled": Classifying(Joint, {"distillation": 1.0}),
        "classifier, uneven": Classifying(Classifier, uneven=True),
        "SLA, uneven": Classifying(Joint, uneven=True),
    },
    metric="accuracy",
    rule=rule,
    why="Within SLA every comparison is as the paper has it: joint labels are 6 points above rotations that change "
    "nothing and above two tasks, together 3 above the image alone. But 150 steps are too few for a net that must "
    "tell 40 labels to overtake one that tells 10 (41.6 and 41.2): after so few it does not yet overfit, which is "
    "what the harder task prevents. No longer run was tried.",
)
