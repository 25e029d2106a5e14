"""RSPNet: which of two clips plays as fast as a third, and of which video it is."""

import torch
from torch import nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.objectives.info_nce import info_nce
from tacit.objectives.margin_ranking import margin_ranking
from tacit.parts.queue import Queue
from tacit.parts.teacher import Teacher
from tacit.parts.video.two_heads import TwoHeads
from tacit.views.kinds import Speeds


class RSPNet(Method):
    """One head ranks the clip of equal speed above the other, one finds either among the clips of other videos.

    The keys are a slow copy's. How fast a clip is cannot be told by itself, only beside another.

    checked: PeihaoChen/RSPNet@2958779
    Differs: speeds are drawn for each video, where the code halves the batch; its norms see shuffled shares of the batch, ours
    all of it; it moves the slow copy before a batch and we after the last, to the same place; norms and biases do not decay.
    """

    paper = Paper(
        "RSPNet: Relative Speed Perception for Unsupervised Video Representation Learning",
        "Chen, Huang, He, Long, Zeng, Wen, Tan, Gan",
        2020,
        "arXiv:2011.07949",
    )
    views = Speeds()
    recipe = Recipe(optimizer="sgd", lr=0.1, batch=64, weight_decay=1e-4, epochs=200)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=64,
            weight_decay=1e-4,
            warmup=2,
            epochs=40,
            options={"queue": 1024, "teacher_momentum": 0.99},
        )
    }

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.07,
        queue: int = 16384,
        teacher_momentum: float = 0.999,
        margin: float = 2.0,
        speed_weight: float = 1.0,
    ):
        """`margin` is of cosines over the temperature; `speed_weight` of the ranking, beside 1 of the other task."""
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature, margin=margin)
        shares(teacher_momentum=teacher_momentum)
        self.appearance, self.speed = nn.Linear(encoder.dim, dim), nn.Linear(encoder.dim, dim)
        self.teacher = Teacher(self._student())
        self.queue = Queue(queue, dim)
        self.queue.rows.copy_(unit(torch.randn(queue, dim)))
        self.temperature, self.teacher_momentum = temperature, teacher_momentum
        self.margin, self.speed_weight = margin, speed_weight

    def step(self, batch: Batch):
        (clips,) = batch
        query, same, other = clips.unbind(1)
        other_look, other_pace = self.teacher(other)
        same_look, same_pace = self.teacher(same)
        look, pace = self._student()(query)
        batch.keep(key=other_look)
        found = [info_nce(look, key, self.queue.rows, self.temperature) for key in (same_look, other_look)]
        nearer, farther = ((pace * key).sum(1) / self.temperature for key in (same_pace, other_pace))
        ranking = margin_ranking(nearer, farther[:, None], self.margin)
        return {"appearance": sum(found), "speed": (ranking, self.speed_weight)}

    def after_step(self, batch: Batch):
        self.queue.push(batch.kept["key"])
        self.teacher.follow(self._student(), self.teacher_momentum)

    def _student(self) -> TwoHeads:
        """The encoder with both heads, as one module."""
        return TwoHeads(self.encoder, self.appearance, self.speed)
