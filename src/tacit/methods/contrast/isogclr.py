"""iSogCLR: contrast against all samples, each at a temperature of its own that it learns."""

import torch
from torch import Tensor

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.objectives.contrast.robust_global import robust_global
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair

COLDEST, WARMEST, STEEPEST = 0.05, 1.0, 3.0  # of temperatures, and of the slope by them


class ISogCLR(Method):
    """Every sample remembers how near negatives come to it, so that batches may be small, and who has many near ones is warm.

    An estimate moves by `share` (γ) of what the batch says; a temperature by `rate` (η) along a slope with momentum, of which
    `fresh` (β) is new, clipped at ±3, and stays within [0.05, 1]; it falls where its slope is above −`spread` (ρ). A `rate`
    of 0 is SogCLR at one temperature.

    checked: zhqiu/contrastive-learning-iSogCLR@c20903b
    Compared: over four steps loss, gradient, estimates, temperatures and their momentum, by its own SogCLR_DRO_Loss.
    Differs: an estimate begins as its first batch's, as the code means to: there epochs are counted from 1 and it begins at 0;
    LARS leaves norms and biases alone.
    """

    paper = Paper(
        "Not All Semantics are Created Equal: Contrastive Self-supervised Learning with Automatic Temperature "
        "Individualization",
        "Qiu, Hu, Yuan, Zhou, Zhang, Yang",
        2023,
        "arXiv:2305.11965",
    )
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="lars", lr=0.8, batch=128, weight_decay=1e-4, warmup=10, epochs=400)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}
    estimates: Tensor
    temperatures: Tensor
    momentum: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.1,
        share: float = 0.8,
        spread: float = 0.4,
        rate: float = 0.03,
        fresh: float = 0.5,
    ):
        super().__init__(encoder)
        positive(dim=dim)
        shares(share=share, fresh=fresh)
        if rate < 0 or spread < 0 or not COLDEST <= temperature <= WARMEST:
            raise TacitError(
                f"rate is {rate}, spread {spread} and temperature {temperature}; give 0 or more, and a temperature from "
                f"{COLDEST} to {WARMEST}."
            )
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        self.temperature, self.share, self.spread, self.rate, self.fresh = temperature, share, spread, rate, fresh

    def prepare(self, facts: Facts):
        self.register_buffer("estimates", torch.zeros(facts.n))
        self.register_buffer("temperatures", torch.full((facts.n,), self.temperature))
        self.register_buffer("momentum", torch.zeros(facts.n))

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        own = self.estimates[batch.index], self.temperatures[batch.index]
        found = robust_global(first, second, *own, self.share)
        batch.keep(mean=found.means, slope=(found.slopes + self.spread).clamp(-STEEPEST, STEEPEST))
        return found.loss

    def after_step(self, batch: Batch):
        index = batch.index
        self.estimates[index] = batch.kept["mean"]
        self.momentum[index] = (1 - self.fresh) * self.momentum[index] + self.fresh * batch.kept["slope"]
        self.temperatures[index] = (self.temperatures[index] - self.rate * self.momentum[index]).clamp(COLDEST, WARMEST)
