"""Unicom: clusters told by a margin, among some of their prototypes and by some of the dimensions at a time."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.kmeans import kmeans
from tacit.numerics.processes import gather
from tacit.views.kinds import Single


class Unicom(Method):
    """Each sample is nearest to the prototype of its cluster, found once of the encoder that the run begins with (--init).

    Many clusters are of one class, which as negatives would part it: so each step compares with all prototypes of the batch
    and no more than `compared` of all, drawn anew, and in a share `dimensions` of the dimensions, one draw for all, that
    short vectors tell as well. The angle to one's own prototype counts `margin` more, cosines `sharpness` times.

    checked: deepglint/unicom@ae71411
    Compared: loss and gradients, prototypes and dimensions given, by its own PartialFC_V2 and CombinedMarginLoss.
    Differs: code of the pretraining is not published, so its clusters and shares of 0.1 and 0.5 are unverified and the recipe
    is that of the fine-tuning; the clustered encoder goes on, there a new one learns clusters of CLIP's; where a batch has more
    clusters than are compared, negatives fill up to its size; all processes draw the same dimensions, there each its own; what
    the encoder says is compared as it is, there after two linear layers with batch norms.
    """

    paper = Paper(
        "Unicom: Universal and Compact Representation Learning for Image Retrieval",
        "An, Deng, Yang, Li, Feng, Guo, Yang, Liu",
        2023,
        "arXiv:2304.05884",
    )
    views = Single()
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-4, batch=128, warmup=3.2, epochs=32)
    recipes = {"small": recipe.but(lr=1e-3, warmup=1, options={"clusters": 400})}
    assigned: Tensor
    order: Tensor
    seen: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        clusters: int = 1_000_000,
        compared: float = 0.1,
        dimensions: float = 0.5,
        margin: float = 0.3,
        sharpness: float = 32.0,
    ):
        super().__init__(encoder)
        positive(clusters=clusters, compared=compared, dimensions=dimensions, sharpness=sharpness)
        shares(compared=compared, dimensions=dimensions)
        if not 0 <= margin < torch.pi:
            raise TacitError(f"margin is {margin}; give an angle from 0 to below pi.")
        self.prototypes = nn.Parameter(0.01 * torch.randn(clusters, encoder.dim))
        self.compared, self.margin, self.sharpness = compared, margin, sharpness
        self.dimensions = max(1, round(dimensions * encoder.dim))

    def prepare(self, facts: Facts):
        if (k := len(self.prototypes)) > facts.n:
            raise TacitError(f"There are {k} clusters for {facts.n} samples; give --clusters {max(facts.n // 10, 2)}.")
        self.register_buffer("assigned", torch.zeros(facts.n, dtype=torch.int64))
        self.register_buffer("order", torch.rand(k))
        self.register_buffer("seen", torch.randperm(self.prototypes.shape[1])[: self.dimensions])

    def before_epoch(self, embed: Any):
        if self.progress == 0:
            self.assigned.copy_(kmeans(unit(embed()), len(self.prototypes))[0])

    def step(self, batch: Batch):
        z, labels = self.encoder(batch.views[0]), self.assigned[batch.index]
        everyone = gather(labels)
        most = min(len(self.order), max(int(self.compared * len(self.order)), len(everyone)))
        chosen = self.order.index_fill(0, everyone, 2.0).topk(most).indices.sort().values  # those of the batch first
        with full_precision():
            near = unit(z[:, self.seen]) @ unit(self.prototypes[chosen][:, self.seen]).T
        return margin_softmax(near, torch.searchsorted(chosen, labels), self.margin, self.sharpness)

    def after_step(self, batch: Batch):
        self.order.uniform_()
        self.seen.copy_(torch.randperm(self.prototypes.shape[1])[: self.dimensions])

    def groups(self):
        return {"prototypes": {"lr": 5.0}}


def margin_softmax(cosines: Tensor, own: Tensor, margin: float, sharpness: float) -> Tensor:
    """Cross entropy of n × k cosines, the angle to one's own (int64, n) wider by `margin`: gradients are as without it."""
    near = cosines.clamp(-1, 1)
    with torch.no_grad():
        target = near.gather(1, own[:, None])
        wider = (target.arccos() + margin).cos() - target
    return cross_entropy(sharpness * near.scatter_add(1, own[:, None], wider), own)
