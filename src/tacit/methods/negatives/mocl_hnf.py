"""MoCo with two queries and the hardest keys of the queue alone."""

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


class MoCLHNF(Method):
    """Each of two views finds the other one's key among the `hardest` keys of the queue, those most alike to it by cosine.

    unverified: no code was to be had, and of the paper its abstract alone: that the loss is of both views, and that negatives
    are chosen by their cosine. Guessed are: that both views are queries and weigh alike, that each keeps a fixed number of
    keys, that keys of the second view alone enter the queue, and all numbers, which but for the queue are MoCo v2's.
    Compared: the loss with MoCo v2's own, turned both ways, where all keys are kept.
    """

    paper = Paper(
        "Momentum Contrastive Learning with Enhanced Negative Sampling and Hard Negative Filtering",
        "Hoang, Ngo, Pham, Nguyen, Bao, Phan",
        2025,
        "arXiv:2501.16360",
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
            options={"teacher_momentum": 0.99, "temperature": 0.1},
        )
    }

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.2,
        queue: int = 4096,
        teacher_momentum: float = 0.999,
        hardest: int = 1024,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature, hardest=hardest)
        shares(teacher_momentum=teacher_momentum)
        if hardest > queue:
            raise TacitError(f"hardest is {hardest} of a queue of {queue}; give no more than the queue holds.")
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        self.queue = KeyQueue(queue, dim, self.encoder, self.projector)
        self.temperature, self.teacher_momentum, self.hardest = temperature, teacher_momentum, hardest

    def step(self, batch: Batch):
        first, second = (unit(self.projector(self.encoder(view))) for view in batch)
        first_key, second_key = (self.queue.keys(view) for view in batch)
        batch.keep(key=second_key)
        return (self.found(first, second_key) + self.found(second, first_key)) / 2

    def found(self, query: Tensor, key: Tensor) -> Tensor:
        """How far queries are from their keys, n × d, among the negatives that are hardest for each: a scalar."""
        rows = self.queue.rows
        return own_negatives(query, key, rows[:0], rows[nearest(query, rows, self.hardest).positions], self.temperature)

    def after_step(self, batch: Batch):
        self.queue.take(batch.kept["key"], self.teacher_momentum, self.encoder, self.projector)
