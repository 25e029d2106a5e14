"""SCAN: classes without labels, from neighbours that are told alike."""

from typing import Any

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Plan, Recipe, Stage
from tacit.methods.clustering.scan.paper import PAPER
from tacit.methods.clustering.scan.pretext import Pretext
from tacit.methods.clustering.scan.self_label import SelfLabel
from tacit.numerics.exact import unit
from tacit.numerics.processes import size, total
from tacit.numerics.topk import nearest
from tacit.views.kinds import Neighbours

NOT_MINED = torch.zeros(0, 1, dtype=torch.int64)


class SCAN(Method):
    """A sample and one of its `neighbours` (itself among them) fall into the same of `clusters`, which are used alike.

    Before it SimCLR finds the neighbours (`pretext`; without it they are those of the encoder that is given as --init), and
    after it samples of which it is surer than `threshold` are labels for other looks at them (`self_label`). `entropy` weighs
    the entropy of the mean assignment. An option of the recipe, where it is given, is that of all three trainings.

    checked: wvangansbeke/Unsupervised-Classification@952ec31
    Compared: both losses and their gradients by its own SCANLoss and ConfidenceBasedCE.
    Differs: crops and colours in place of RandAugment and Cutout; both views of SimCLR are anchors, there the first; weights
    decay apart from AdamW's rate; the last epoch and one head stay, there those of the lowest loss on the test part, where
    heads are several; where nothing is sure the loss is 0, there it is refused.
    """

    paper, views, whole_batch = PAPER, Neighbours(), True
    recipe = Recipe(optimizer="adamw", lr=1e-4, batch=128, weight_decay=1e-4, schedule="constant", epochs=50)
    recipes = {"small": recipe.but(lr=3e-4, epochs=20)}
    near: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        clusters: int = 10,
        neighbours: int = 20,
        entropy: float = 5.0,
        mined: Tensor = NOT_MINED,
    ):
        super().__init__(encoder)
        positive(neighbours=neighbours)
        if clusters < 2 or entropy < 0:
            raise TacitError(f"clusters is {clusters} and entropy {entropy}; give 2 or more, and a weight of 0 or more.")
        self.head = nn.Linear(encoder.dim, clusters)
        self.neighbours, self.entropy, self.mined = neighbours, entropy, mined

    @classmethod
    def stages(cls, *, pretext: bool = True, self_label: bool = True, threshold: float = 0.99, **own: Any):
        if pretext:
            found = yield Stage(Pretext)
            first: Any = found.method
            own["mined"] = near(found.embed(how=first.projected), own.get("neighbours", 20))
        trained: Any = yield Stage(cls, **own)
        if self_label:
            head = trained.method.head
            packed = torch.cat([head.weight, head.bias[:, None]], 1).detach().cpu()
            yield Stage(SelfLabel, head=packed, threshold=threshold)

    def prepare(self, facts: Facts):
        given = len(self.mined) > 0
        self.register_buffer("near", self.mined if given else torch.zeros(facts.n, self.neighbours + 1, dtype=torch.int64))

    def before_epoch(self, embed: Any):
        if not len(self.mined) and self.progress == 0:
            self.near.copy_(near(embed(), self.neighbours))
        return Plan(partners=self.near)

    def step(self, batch: Batch):
        anchor, neighbour = (self.head(self.encoder(view)).float().softmax(1) for view in batch)
        agreed = (anchor * neighbour).sum(1).log().clamp_min(-100)
        used = (total(anchor.sum(0)) / (len(anchor) * size())).clamp_min(1e-8)
        return {"disagreement": -agreed.mean(), "entropy": (-(used * used.log()).sum(), -self.entropy)}

    def predict(self, view: Tensor) -> Tensor:
        """The cluster of each sample: int64, n."""
        return self.head(self.encoder(view)).argmax(1)


def near(z: Tensor, neighbours: int) -> Tensor:
    """Each row itself and those nearest to it by cosine: n × d -> int64, n × (neighbours + 1)."""
    return nearest(unit(z), unit(z), neighbours + 1).positions
