"""BYOL: bootstrap your own latent."""

from torch import nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.prediction import cosine_distance
from tacit.parts.looks import ASYMMETRIC
from tacit.parts.mlp import mlp
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import Pair


class BYOL(Method):
    """One view predicts what a slow copy of the encoder says of the other.

    checked: google-deepmind/deepmind-research@4822a45
    Compared: loss and gradient for given predictions and projections, and the momentum's schedule.
    Differs: the target starts as a copy, there from other weights; no biases before norms; LARS has the rate within its
    momentum, there outside; brightness is a factor, there a summand.
    """

    paper = Paper(
        "Bootstrap Your Own Latent: A New Approach to Self-Supervised Learning", "Grill et al.", 2020, "arXiv:2006.07733"
    )
    views = Pair(of={"image": ASYMMETRIC})
    recipe = Recipe(optimizer="lars", lr=0.2, scale="linear", batch=4096, weight_decay=1.5e-6, warmup=10, epochs=1000)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=128,
            weight_decay=1e-4,
            warmup=1,
            epochs=40,
            options={"dim": 256, "hidden": 1024, "teacher_momentum": 0.9},
        )
    }

    def __init__(self, encoder: Encoder, *, dim: int = 256, hidden: int = 4096, teacher_momentum: float = 0.996):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden)
        shares(teacher_momentum=teacher_momentum)
        self.projector = mlp(encoder.dim, hidden, dim, last_bias=False)
        self.predictor = mlp(dim, hidden, dim, last_bias=False)
        self.teacher = Teacher(nn.Sequential(self.encoder, self.projector))
        self.teacher_momentum = teacher_momentum

    def step(self, batch: Batch):
        first, second = (self.predictor(self.projector(self.encoder(view))) for view in batch)
        first_target, second_target = (self.teacher(view) for view in batch)
        return 2 * (cosine_distance(first, second_target) + cosine_distance(second, first_target))

    def after_step(self, batch: Batch):
        student = nn.Sequential(self.encoder, self.projector)
        self.teacher.follow(student, rising(self.teacher_momentum, self.progress))
