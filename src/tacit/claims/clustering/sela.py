"""SeLa: labels that are used equally often teach, and without that constraint they run together."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.training import Training, Untrained, judged
from tacit.method import Batch, Encoder, Facts, Method
from tacit.methods.clustering.sela import SeLa
from tacit.methods.pretext.rotnet import RotNet
from tacit.numerics.kmeans import kmeans

LABELS = 64
SHARED = {"size": 16, "width": 32, "batch": 128, "epochs": 12, "warmup": 1}
OWN = {"labels": LABELS, "label_sets": 4, "relabellings": 12}
IMAGES = 5_000


class ByKMeans(Method):
    """DeepCluster in short (Caron et al. 2018): clusters of the encoder's answers before every epoch, and a head anew."""

    paper, views, recipe = SeLa.paper, SeLa.views, SeLa.recipes["small"]
    assigned: Tensor

    def __init__(self, encoder: Encoder, *, labels: int = LABELS):
        super().__init__(encoder)
        self.head, self.labels = nn.Linear(encoder.dim, labels), labels

    def prepare(self, facts: Facts) -> None:
        self.register_buffer("assigned", torch.zeros(facts.n, 1, dtype=torch.int64))

    def before_epoch(self, embed: Any) -> None:
        self.assigned[:, 0] = kmeans(embed(), self.labels)[0].to(self.assigned.device)
        self.head.reset_parameters()
        self.renew(self.head)

    def step(self, batch: Batch) -> Tensor:
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), self.assigned[batch.index, 0])


class ByLargest(Method):
    """SeLa's heads, whose labels are simply what each head finds most likely."""

    paper, views, recipe = SeLa.paper, SeLa.views, SeLa.recipes["small"]
    assigned: Tensor

    def __init__(self, encoder: Encoder, *, labels: int = LABELS):
        super().__init__(encoder)
        self.head, self.labels = nn.Linear(encoder.dim, labels), labels

    def prepare(self, facts: Facts) -> None:
        self.register_buffer("assigned", (torch.randperm(facts.n) % self.labels)[:, None])

    def before_epoch(self, embed: Any) -> None:
        said = embed(how=lambda batch: self.head(self.encoder(batch.views[0])))
        self.assigned[:, 0] = said.argmax(1).to(self.assigned.device)

    def step(self, batch: Batch) -> Tensor:
        return cross_entropy(self.head(self.encoder(batch.views[0])).float(), self.assigned[batch.index, 0])


@dataclass(frozen=True)
class Labelling:
    """A training, and the entropy of how often its labels are used, of the first head, as a share of the largest."""

    training: Training

    def measure(self, seed: int, quick: bool) -> Measures:
        with tempfile.TemporaryDirectory() as folder:
            run, train, test = self.training.trained(Path(folder) / "run", seed, quick)
            method: Any = run.whole()
            used = method.assigned[:, 0].bincount(minlength=method.labels).double()
            share = used / used.sum()
            entropy = float(-(share * share.clamp_min(1e-12).log()).sum() / torch.tensor(float(method.labels)).log())
            return judged(run, "this encoder", train, test) | {"used": entropy}


def rule(found: Found) -> dict[str, bool]:
    return {
        "it is above the untrained encoder": found.above("SeLa", "untrained"),
        "it is above k-means without the constraint": found.above("SeLa", "k-means"),
        "it is above labels that are the most likely ones": found.above("SeLa", "most likely"),
        "whose use is more uneven": found.above("SeLa", "most likely", "used"),
        "it is not below rotation": not found.above("rotation", "SeLa"),
    }


CLAIM = Claim(
    says="Labels by optimal transport, equally often used, teach above clusters that are not so constrained and above rotation "
    "(CIFAR-10, AlexNet: linear 83.4 %), and do not degenerate.",
    here="5 000 images of cifar10-15k seen at 16 pixels, small_resnet of width 32; 12 epochs of batches of 128; 64 labels, "
    "found anew before every epoch for one of four heads, for the only head of the others, by k-means (DeepCluster) or "
    "as the most likely ones; rotation with as many steps of 128 images, four times each; linear probe of the test "
    "part.",
    arms={
        "untrained": Untrained(Training(SeLa, IMAGES, {**SHARED, **OWN})),
        "rotation": Training(RotNet, IMAGES, SHARED),
        "k-means": Labelling(Training(ByKMeans, IMAGES, SHARED)),
        "most likely": Labelling(Training(ByLargest, IMAGES, SHARED)),
        "SeLa": Labelling(Training(SeLa, IMAGES, {**SHARED, **OWN})),
    },
    metric="linear",
    rule=rule,
)
