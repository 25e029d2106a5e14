"""DirectPred: a linear predictor that is computed, not learned."""

import torch
from torch import Tensor, nn

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import full_precision
from tacit.objectives.prediction import cosine_distance
from tacit.parts.mlp import mlp
from tacit.parts.teacher import Teacher
from tacit.views.kinds import Pair

LEAST = 1e-4  # of the predictor's eigenvalues


class DirectPred(Method):
    """BYOL whose predictor is made of the correlation of what it is given: the same directions, the roots of the strengths.

    The correlation of projections, not centred, moves by 1 − `inertia` (ρ of the paper) at every step; every `eigen_every`
    steps the predictor is put to it (equations 18 and 19), and in between it is trained as any other. `boost` is ε.

    checked: facebookresearch/luckmatters@625b5f7
    Compared: over five steps of SGD by its own trainer loss, gradient, correlation, predictor and target, every 1 and 2.
    Differs: the norm within the projector has a scale and a shift, the layer before it no bias; the target begins as a copy;
    eigenvectors are those of a symmetric matrix, there the real part of a general decomposition.
    """

    paper = Paper(
        "Understanding Self-Supervised Learning Dynamics without Contrastive Pairs",
        "Tian, Chen, Ganguli",
        2021,
        "arXiv:2102.06810",
    )
    views = Pair()
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=128, weight_decay=4e-4, epochs=100, schedule="constant")
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=128,
            weight_decay=1e-4,
            warmup=1,
            epochs=40,
            options={"teacher_momentum": 0.9},
        )
    }
    correlation: Tensor
    steps: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        hidden: int = 512,
        boost: float = 0.01,
        inertia: float = 0.3,
        eigen_every: int = 1,
        teacher_momentum: float = 0.996,
    ):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, eigen_every=eigen_every)
        shares(inertia=inertia, teacher_momentum=teacher_momentum)
        self.projector = mlp(encoder.dim, hidden, dim)
        self.predictor = nn.Linear(dim, dim, bias=False)
        self.teacher = Teacher(nn.Sequential(self.encoder, self.projector))
        self.register_buffer("correlation", torch.zeros(dim, dim))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.boost, self.inertia, self.every, self.teacher_momentum = boost, inertia, eigen_every, teacher_momentum

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        first_target, second_target = (self.teacher(view) for view in batch)
        batch.keep(first=first, second=second)
        return 2 * (
            cosine_distance(self.predictor(first), second_target) + cosine_distance(self.predictor(second), first_target)
        )

    def after_step(self, batch: Batch):
        both = torch.cat([batch.kept["first"], batch.kept["second"]]).float()
        now = both.T @ both / len(both)
        self.correlation.lerp_(now, 1 - self.inertia if self.steps else 1.0)
        if self.steps % self.every == 0:
            self.predictor.weight.copy_(aligned(self.correlation, self.boost))
        self.steps += 1
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), self.teacher_momentum)


def aligned(correlation: Tensor, boost: float) -> Tensor:
    """The matrix with the eigenvectors of d × d and the eigenvalues max(√(s / largest s) + boost, 1e-4)."""
    with full_precision():
        s, directions = torch.linalg.eigh(correlation)
        strength = (s.clamp_min(0) / s[-1]).sqrt() + boost
        return directions * strength.clamp_min(LEAST) @ directions.T
