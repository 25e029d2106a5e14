"""LFR: learning from random projectors."""

import math

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.dpp import most_diverse
from tacit.numerics.exact import unit
from tacit.objectives.batch_twins import batch_twins
from tacit.parts.mlp import mlp
from tacit.parts.sequences.unchanged import UNCHANGED
from tacit.views.kinds import Values

COMPARED = 512  # samples by which projectors are found unlike


class LFR(Method):
    """Predict, without any augmentation, what several random networks say of a sample, each from one representation.

    `projectors` of them are kept of `pool` times as many, those whose similarities of samples are least alike.

    checked: layer6ai-labs/lfr@3714a54
    Differs: encoder and predictors take turns at every batch, there at every epoch, and the encoder's norms then see the
    batch, not their running means; projectors are told apart on 512 samples, there on up to 1000 of one batch.
    """

    paper = Paper(
        "Self-supervised Representation Learning From Random Data Projectors",
        "Sui, Wu, Cresswell, Wu, Stein, Huang, Zhang, Volkovs",
        2024,
        "arXiv:2310.07756",
    )
    views = Values(of=UNCHANGED)
    whole_batch = True
    players = {"learner": ("encoder",), "predictor": ("predictors",)}
    recipe = Recipe(optimizer="adamw", lr=1e-3, batch=128, momentum=0.9, beta2=0.99, epochs=100, schedule="constant")
    recipes = {"small": recipe.but(epochs=20)}
    settled: Tensor

    def __init__(
        self, encoder: Encoder, *, projectors: int = 6, pool: int = 10, projector_width: int = 256, off_diagonal: float = 0.01
    ):
        super().__init__(encoder)
        positive(projectors=projectors, pool=pool, projector_width=projector_width)
        if off_diagonal < 0:
            raise TacitError(f"off_diagonal is {off_diagonal}; give a weight of 0 or more.")
        self.count, self.pool, self.hidden, self.off_diagonal = projectors, pool, projector_width, off_diagonal
        self.predictors = nn.ModuleList(nn.Linear(encoder.dim, encoder.dim) for _ in range(projectors))
        self.register_buffer("settled", torch.zeros((), dtype=torch.bool))

    def prepare(self, facts: Facts):
        self.width = math.prod(facts.shape)
        self.projectors = nn.ModuleList(self._random() for _ in range(self.count))

    def before_epoch(self, embed):
        if self.settled:
            return
        rows = embed(how=lambda batch: batch.views[0].flatten(1).float())[:COMPARED]  # their order says nothing
        many = [self._random().to(rows.device) for _ in range(self.count * self.pool)]
        with torch.no_grad():
            near = [unit(one(rows)) for one in many]
            alike = unit(torch.stack([(z @ z.T).flatten() for z in near]))
        chosen = most_diverse((alike @ alike.T).cpu().double().numpy(), self.count)
        for kept, place in zip(self.projectors, chosen):  # where fewer are unlike, the others stay as they are
            kept.load_state_dict(many[place].state_dict())
        self.settled.fill_(True)

    def step(self, batch: Batch, player: str):
        (view,) = batch
        with torch.set_grad_enabled(player == "learner"):
            z = self.encoder(view)
        targets = [projector(view.flatten(1)) for projector in self.projectors]
        losses = [batch_twins(p(z), target, self.off_diagonal) for p, target in zip(self.predictors, targets)]
        return torch.stack(losses).mean()

    def _random(self) -> nn.Module:
        return mlp(self.width, self.hidden, self.encoder.dim, norm=False).requires_grad_(False)
