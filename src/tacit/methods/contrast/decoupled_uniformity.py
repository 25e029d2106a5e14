"""Decoupled uniformity: samples apart by the means of their views, which what is known of them beforehand may draw near."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from tacit.errors import positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe, Stage
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, mine
from tacit.objectives.contrast.decoupled_uniformity import decoupled_uniformity
from tacit.parts.kept_rows import KeptRows
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair, Values

PAPER = Paper("Integrating Prior Knowledge in Contrastive Learning with Kernel", "Dufumier et al.", 2023, "arXiv:2206.01646")
RECIPE = Recipe(optimizer="sgd", lr=0.3, scale="linear", batch=256, momentum=0.0, epochs=400)
SMALL = Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40)
WHOLE = Values(of={"image": {"jitter": 0.0, "grey": 0.0, "blur": 0.0, "crop": (0.8, 1.0)}})


class DecoupledUniformity(Method):
    """The means of the views of different samples lie apart; nothing else pulls views together.

    With `prior_epochs` a stage before trains a variational autoencoder, and means are estimated over the samples of a batch by
    a Gaussian kernel on its codes: α = (K + ridge · I)⁻¹ K, of width `sigma` where two samples are about 1 apart.

    checked: Duplums/contrastive-decoupled-uniformity@268aa67
    Compared: loss and gradient, with and without kernel, by its own loss.
    Differs: the batch of all processes counts, there each device's; the rate falls to 0, not 1e-3; the autoencoder is ours.
    """

    paper, views, whole_batch, recipe, recipes = PAPER, Pair(), True, RECIPE, {"small": SMALL}

    def __init__(self, encoder: Encoder, *, dim: int = 256, hidden: int = 2048, t: float = 2.0):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden, t=t)
        self.projector, self.t = nn.Sequential(nn.ReLU(), mlp(encoder.dim, hidden, dim, norm=False)), t

    @classmethod
    def stages(cls, *, prior_epochs: int = 0, sigma: float = 0.5, ridge: float = 0.01, **own: Any):
        positive(sigma=sigma, ridge=ridge)
        if not prior_epochs:
            yield Stage(cls, **own)
        else:
            prior = yield Stage(Autoencoder, recipe=SMALL.but(epochs=prior_epochs))
            yield Stage(ByKernel, encoder="fresh", prior=prior.embed(), sigma=sigma, ridge=ridge, **own)

    def step(self, batch: Batch):
        return decoupled_uniformity(means(self, batch), self.t)


class ByKernel(Method):
    """The same, each mean drawn towards those of samples of which much the same is known."""

    paper, views, whole_batch, recipe, recipes = PAPER, Pair(), True, RECIPE, {"small": SMALL}

    def __init__(
        self, encoder: Encoder, *, prior: Tensor, dim: int = 256, hidden: int = 2048, t: float = 2.0, sigma: float = 0.5,
        ridge: float = 0.01,
    ):  # fmt: skip
        super().__init__(encoder)
        self.projector, self.t = nn.Sequential(nn.ReLU(), mlp(encoder.dim, hidden, dim, norm=False)), t
        self.prior, self.gamma, self.ridge = KeptRows(*prior.shape), 1 / (2 * sigma**2), ridge
        self.prior.fill(prior / (2 * prior.var(0).sum()).sqrt())  # two samples are on average as far apart as 1

    def step(self, batch: Batch):
        everyone = gather(self.prior(batch.index))
        with full_precision():
            kernel = (-self.gamma * torch.cdist(everyone, everyone).square()).exp()
            alpha = torch.linalg.solve(kernel + self.ridge * torch.eye(len(kernel), device=kernel.device), kernel)
            return decoupled_uniformity(alpha[mine(len(batch), alpha.device)] @ gather(means(self, batch)), self.t)


class Autoencoder(Method):
    """The prior: a variational autoencoder, of which the mean code is kept."""

    paper, views, recipe = PAPER, WHOLE, SMALL

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.spread = nn.Linear(encoder.dim, encoder.dim)

    def prepare(self, facts: Facts):
        self.decoder = mlp(self.encoder.dim, 2 * self.encoder.dim, math.prod(facts.shape), norm=False)

    def step(self, batch: Batch):
        code = self.encoder(view := batch.views[0]).float()
        log_variance = self.spread(code).float()
        drawn = code + (log_variance / 2).exp() * batch.normal("code", code.shape[1])
        divergence = (code.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
        return {"pixels": mse_loss(self.decoder(drawn).float(), view.flatten(1)), "code": (divergence, 1 / view[0].numel())}


def means(method: Any, batch: Batch) -> Tensor:
    """The mean of the directions of each sample's views: n × d, within the sphere."""
    return torch.stack([unit(method.projector(method.encoder(view))) for view in batch]).mean(0)
