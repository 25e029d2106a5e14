"""Barlow Twins: features that agree across views and do not repeat each other."""

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.cross_correlation import cross_correlation
from tacit.parts.looks import ASYMMETRIC
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class BarlowTwins(Method):
    """The cross-correlation of two views' features is to be the identity.

    checked: facebookresearch/barlowtwins@8e8d284
    Compared: projector, loss and gradient.
    Differs: one rate, where the released code gives biases and norms a rate of their own and leaves them out of LARS.
    """

    paper = Paper("Barlow Twins: Self-Supervised Learning via Redundancy Reduction", "Zbontar et al.", 2021, "arXiv:2103.03230")
    views = Pair(of={"image": ASYMMETRIC})
    whole_batch = True
    recipe = Recipe(
        optimizer="lars", lr=0.2, scale="linear", batch=2048, weight_decay=1e-6, warmup=10, epochs=1000, final_lr=0.001
    )
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=256,
            weight_decay=1e-4,
            warmup=2,
            epochs=40,
            options={"dim": 1024, "off_diagonal": 0.01},
        )
    }

    def __init__(self, encoder: Encoder, *, dim: int = 8192, off_diagonal: float = 0.0051):
        super().__init__(encoder)
        positive(dim=dim, off_diagonal=off_diagonal)
        self.projector = mlp(encoder.dim, dim, dim, dim, last_bias=False)
        self.off_diagonal = off_diagonal

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return cross_correlation(first, second, self.off_diagonal)
