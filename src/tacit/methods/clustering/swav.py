"""SwAV: swapped assignments between views."""

from typing import Any

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.sinkhorn import sinkhorn
from tacit.objectives.swapped import swapped_prediction
from tacit.parts.crops import each_size
from tacit.parts.mlp import mlp
from tacit.parts.prototypes import Prototypes
from tacit.parts.queue import Queue
from tacit.views.kinds import MultiCrop


class SwAV(Method):
    """Every crop predicts to which prototypes the large crops were assigned, and all prototypes are used alike.

    `queue` earlier features of each large crop share in its assignment once so many are there, gathered from epoch
    `queue_from` on, counted from 0; a `queue` of 0: none.

    checked: facebookresearch/swav@06b1b7c
    Compared: codes, and over six steps loss, gradient, queue and frozen, then moving prototypes, by its own training loop.
    Differs: prototypes are frozen for an epoch, there for a batch more; codes are computed on logarithms; batch norms see
    the whole batch, there eight devices' share; its LARS adapts and decays norms and biases too, its warm-up starts above 0.
    """

    paper = Paper(
        "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments",
        "Caron, Misra, Mairal, Goyal, Bojanowski, Joulin",
        2020,
        "arXiv:2006.09882",
    )
    views = MultiCrop(large=2, small=6, of={"image": {"crop": (0.14, 1.0)}})
    whole_batch = True
    recipe = Recipe(
        optimizer="lars", lr=0.3, scale="linear", batch=4096, weight_decay=1e-6, warmup=10, final_lr=0.001, epochs=800
    ).but(hold={"prototypes": 1})
    small = Recipe(optimizer="adamw", lr=2e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=20, small_crops=0)
    recipes = {
        "small": small.but(options={"prototypes": 128, "hidden": 512}),
        "batch_256": recipe.but(scale="none", lr=0.6, batch=256, warmup=0, epochs=200, options={"queue": 3840}),
    }
    begun: Tensor
    queues: Any  # one Queue for each large crop, or none

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
        queue_from: int = 15,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, prototypes=prototypes, temperature=temperature, epsilon=epsilon)
        if queue < 0 or queue_from < 0:
            raise TacitError(f"queue is {queue} and queue_from {queue_from}; give a number of features and an epoch, or 0.")
        self.projector = mlp(encoder.dim, hidden, dim)
        self.prototypes = Prototypes(dim, prototypes)
        self.queues = nn.ModuleList(Queue(queue, dim) for _ in range(self.views.large if queue else 0))
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))  # epochs, this one included
        self.temperature, self.epsilon, self.queue_from, self.remembers = temperature, epsilon, queue_from, False

    def prepare(self, facts: Facts):
        if (k := self.prototypes.directions.out_features) > facts.n:
            raise TacitError(f"There are {k} prototypes for {facts.n} samples; give --prototypes {max(facts.n // 10, 2)}.")

    def before_epoch(self, embed):
        self.begun += 1

    def step(self, batch: Batch):
        features = each_size(self.encoder, batch)
        z = unit(self.projector(features)).unflatten(0, (-1, len(batch)))  # one forward for all: the norm sees every crop
        scores = self.prototypes(z)
        if self.queues:
            self.remembers = self.remembers or all(queue.full for queue in self.queues)  # asked until they are: it waits
            batch.keep(z=z[: self.views.large].transpose(0, 1))
        codes = torch.stack([self.codes(scores[view].detach(), view) for view in range(self.views.large)])
        return swapped_prediction(scores, codes, self.temperature)

    def codes(self, scores: Tensor, view: int) -> Tensor:
        """The assignment of one large crop of each sample, balanced over them and what its queue remembers."""
        remembered = [self.prototypes(self.queues[view].mine).detach()] if self.remembers else []
        return sinkhorn(torch.cat([scores, *remembered]), self.epsilon)[: len(scores)]

    def after_step(self, batch: Batch):
        self.prototypes.normalise()
        for view, queue in enumerate(self.queues):
            queue.require(len(batch))  # from the first batch on, long before it is filled
            if self.remembers or int(self.begun) > self.queue_from:
                queue.push(batch.kept["z"][:, view])
