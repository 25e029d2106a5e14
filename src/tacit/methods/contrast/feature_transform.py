"""Feature transformation: MoCo whose positives are drawn apart and whose negatives are mixed, as features."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.objectives.contrast.transformed_pairs import extrapolated, found_among, score_moments
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.parts.queue import KeyQueue
from tacit.views.kinds import Pair


class FeatureTransform(Method):
    """Query and key are moved away from one another along their line, and each key of the queue towards another one.

    By λ ~ 1 + Beta(α, α) with α = `extrapolate` and by λ ~ Beta(β, β) with β = `interpolate`, one draw of each for a batch; 0
    leaves positives or negatives as they are. What is moved is not normalised again, and the queue itself stays as it is.
    The log tells what the products are like after that: their mean for positives, mean and variance for negatives.

    checked: DTennant/CL-Visualizing-Feature-Transformation@c53d1be
    Compared: loss and gradient of both, of positives and of negatives alone, by its memory's forward on the same draws.
    Differs: batch norms see the whole batch, there samples are shuffled between devices; draws of their own for each
    dimension, an option there, are left out; its log keeps the scores of each query.
    """

    paper = Paper(
        "Improving Contrastive Learning by Visualizing Feature Transformation",
        "Zhu, Zhao, Liu, Sun, Chen",
        2021,
        "arXiv:2108.02982",
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
            options={"queue": 4096, "teacher_momentum": 0.99},
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
        extrapolate: float = 2.0,
        interpolate: float = 1.6,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        shares(teacher_momentum=teacher_momentum)
        if min(extrapolate, interpolate) < 0:
            raise TacitError(f"extrapolate is {extrapolate} and interpolate {interpolate}; give 0 or more.")
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        self.queue = KeyQueue(queue, dim, self.encoder, self.projector)
        self.temperature, self.teacher_momentum = temperature, teacher_momentum
        self.extrapolate, self.interpolate = extrapolate, interpolate

    def step(self, batch: Batch):
        first, second = batch
        query, key = unit(self.projector(self.encoder(first))), self.queue.keys(second)
        batch.keep(key=key)
        draws = np.random.default_rng(counter.key(batch.key, "transformation", repr(self.progress)))  # of all processes alike
        away = 1 + draws.beta(self.extrapolate, self.extrapolate) if self.extrapolate else 1.0
        moved = (*extrapolated(query, key, away), self.mixed(draws))
        scores = {name: (score, 0.0) for name, score in score_moments(*moved)._asdict().items()}
        return {"contrast": found_among(*moved, self.temperature), **scores}

    def mixed(self, draws: np.random.Generator) -> Tensor:
        """The keys of the queue, each on its line to another one."""
        if not self.interpolate:
            return self.queue.rows
        share = draws.beta(self.interpolate, self.interpolate)
        others = torch.from_numpy(draws.permutation(len(self.queue.rows))).to(self.queue.rows.device)
        return torch.lerp(self.queue.rows[others], self.queue.rows, share)

    def after_step(self, batch: Batch):
        self.queue.take(batch.kept["key"], self.teacher_momentum, self.encoder, self.projector)
