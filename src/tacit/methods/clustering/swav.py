"""SwAV: swapped assignments between views."""

import torch
from torch import nn

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.sinkhorn import sinkhorn
from tacit.objectives.swapped import cross_entropy
from tacit.parts.mlp import mlp
from tacit.parts.prototypes import Prototypes
from tacit.parts.queue import Queue
from tacit.views.kinds import MultiCrop


class SwAV(Method):
    """Every crop predicts to which prototypes the large crops were assigned, and all prototypes are used alike.

    `queue` earlier features share in the assignment, from `queue_from` (of the training) on; 0: none.

    checked: facebookresearch/swav@06b1b7c
    Compared: loss, gradient, codes with and without queue, prototypes after a step.
    Differs: the released code starts the queue at an epoch and freezes prototypes for a number of steps, here a share of the
    training and `hold`; codes are computed on logarithms.
    """

    paper = Paper(
        "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments",
        "Caron, Misra, Mairal, Goyal, Bojanowski, Joulin",
        2020,
        "arXiv:2006.09882",
    )
    views = MultiCrop(large=2, small=6)
    whole_batch = True
    recipe = Recipe(
        optimizer="lars", lr=0.3, scale="linear", batch=4096, weight_decay=1e-6, warmup=10, final_lr=0.001, epochs=800
    ).but(hold={"prototypes": 1})
    small = Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40)
    recipes = {"small": small.but(options={"prototypes": 256, "hidden": 512})}

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        hidden: int = 2048,
        prototypes: int = 3000,
        temperature: float = 0.1,
        epsilon: float = 0.05,
        queue: int = 0,
        queue_from: float = 0.02,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, prototypes=prototypes, temperature=temperature, epsilon=epsilon)
        shares(queue_from=queue_from)
        if queue < 0:
            raise TacitError(f"queue is {queue}; give a number of features, or 0 for none.")
        self.projector = mlp(encoder.dim, hidden, dim)
        self.prototypes = Prototypes(dim, prototypes)
        self.queues = nn.ModuleList(Queue(queue, dim) for _ in range(self.views.large) if queue)
        self.temperature, self.epsilon, self.queue_from = temperature, epsilon, queue_from

    def prepare(self, facts: Facts):
        k = self.prototypes.directions.out_features
        if k > facts.n:
            raise TacitError(
                f"There are {k} prototypes for {facts.n} samples; give --prototypes {max(facts.n // 10, 2)} or so."
            )

    def step(self, batch: Batch):
        large, n = self.views.large, len(batch)
        crops = [torch.cat(batch.views[:large]), torch.cat(batch.views[large:])]
        z = torch.cat([self.projector(self.encoder(crop)) for crop in crops])  # one forward for each size of crop
        scores = self.prototypes(z).split(n)
        batch.keep(z=unit(z[: large * n]).unflatten(0, (large, n)).transpose(0, 1))
        losses = []
        for view in range(large):
            codes = self.codes(scores[view], view)
            losses += [cross_entropy(other, codes, self.temperature) for v, other in enumerate(scores) if v != view]
        return torch.stack(losses).mean()

    def codes(self, scores, view: int):
        """The assignment of a large crop's samples, balanced over them and what the queue remembers."""
        if not self.queues or self.progress < self.queue_from or not self.queues[view].full:
            return sinkhorn(scores.detach(), self.epsilon)
        remembered = self.prototypes(self.queues[view].mine).detach()
        return sinkhorn(torch.cat([scores.detach(), remembered]), self.epsilon)[: len(scores)]

    def after_step(self, batch: Batch):
        self.prototypes.normalise()
        for view, queue in enumerate(self.queues):
            if self.progress >= self.queue_from:
                queue.push(batch.kept["z"][:, view])
