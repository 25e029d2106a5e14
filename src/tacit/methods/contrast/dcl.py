"""DCL: decoupled contrastive learning."""

import math

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.dcl import dcl
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class DCL(Method):
    """SimCLR without the positive pair in its own denominator, so that small batches still learn.

    `sigma` below infinity weighs the pairs (DCLW; the paper takes 0.5).

    unverified: no code of the authors is published, and the recipe's rate and decay were not compared with the paper
    Compared: loss and gradient with raminnakhli/Decoupled-Contrastive-Learning@0b9b76d and lightly-ai/lightly@e8d317f.
    Differs: a mean over views, as in the second; the first is the sum of two directions, twice as large. Weights carry no
    gradient, as in the second; in the first they do.
    """

    paper = Paper("Decoupled Contrastive Learning", "Yeh, Hong, Hsu, Liu, Chen, LeCun", 2021, "arXiv:2110.06848")
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.03, scale="linear", batch=256, weight_decay=1e-4, epochs=200)
    recipes = {
        "small": Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40),
        "weighted": Recipe(
            optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40, options={"sigma": 0.5}
        ),
    }

    def __init__(self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.1, sigma: float = math.inf):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature, sigma=sigma)
        self.projector = mlp(encoder.dim, encoder.dim, dim, last_norm=True)
        self.temperature, self.sigma = temperature, sigma

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return dcl(first, second, self.temperature, self.sigma)
