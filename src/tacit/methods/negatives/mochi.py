"""MoCHi: MoCo with negatives mixed from the hardest of the queue."""

import torch
from torch import Tensor

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest
from tacit.objectives.contrast.own_negatives import own_negatives
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.parts.queue import KeyQueue
from tacit.views.kinds import Pair


class MoCHi(Method):
    """Each query meets, beside the queue, points between the negatives that are nearest to it, and between these and itself.

    Of its `hardest` keys in the queue `mixed` pairs are drawn and joined, and `harder` of them with the query, which weighs
    less than half. Before the share `start` of the training there are none of these.

    unverified: the authors published no code; their numbers were taken from the paper as remembered, not read.
    Compared: mixed points and loss with hard_negatives1 and 2 of davidsvy/hard-negative-mixing@2955553, on the same draws.
    Differs: pairs are drawn with replacement, as there, so that both may be one key; both kinds begin at once.
    """

    paper = Paper(
        "Hard Negative Mixing for Contrastive Learning",
        "Kalantidis, Sariyildiz, Pion, Weinzaepfel, Larlus",
        2020,
        "arXiv:2010.01028",
    )
    views = Pair(of={"image": ONE_LOOK})
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=256, weight_decay=1e-4, epochs=200)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=256,
            weight_decay=1e-4,
            warmup=2,
            epochs=40,
            options={"queue": 4096, "teacher_momentum": 0.99, "temperature": 0.1, "hardest": 128, "mixed": 128, "harder": 32},
        )
    }

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.2,
        queue: int = 65536,
        teacher_momentum: float = 0.999,
        hardest: int = 1024,
        mixed: int = 1024,
        harder: int = 128,
        start: float = 0.075,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature, hardest=hardest)
        shares(teacher_momentum=teacher_momentum, start=start)
        if min(mixed, harder) < 0 or hardest > queue:
            raise TacitError(
                f"hardest is {hardest}, mixed {mixed} and harder {harder} of a queue of {queue}; give counts of 0 or more, and "
                "no more hardest ones than the queue holds."
            )
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        self.queue = KeyQueue(queue, dim, self.encoder, self.projector)
        self.temperature, self.teacher_momentum, self.start = temperature, teacher_momentum, start
        self.hardest, self.mixed, self.harder = hardest, mixed, harder

    def step(self, batch: Batch):
        first, second = batch
        key, query = self.queue.keys(second), unit(self.projector(self.encoder(first)))
        batch.keep(key=key)
        own = self.synthetic(query.detach(), batch) if self.progress >= self.start else key.new_zeros(len(key), 0, key.shape[1])
        return own_negatives(query, key, self.queue.rows, own, self.temperature)

    def synthetic(self, query: Tensor, batch: Batch) -> Tensor:
        """Points on the sphere that no sample is at, for each query: n × d -> n × (mixed + harder) × d."""
        near = nearest(query, self.queue.rows, self.hardest).positions

        def drawn(name: str, count: int) -> Tensor:
            return self.queue.rows[near.gather(1, (batch.uniform(name, count) * self.hardest).long())]

        a = batch.uniform("between", self.mixed, 1)
        b = batch.uniform("towards", self.harder, 1) / 2
        between = a * drawn("one", self.mixed) + (1 - a) * drawn("other", self.mixed)
        towards = b * query[:, None] + (1 - b) * drawn("third", self.harder)
        return unit(torch.cat([between, towards], 1))

    def after_step(self, batch: Batch):
        self.queue.take(batch.kept["key"], self.teacher_momentum, self.encoder, self.projector)
