"""VICReg: variance, invariance, covariance."""

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import full_precision
from tacit.objectives.variance_covariance import variance_covariance
from tacit.parts.looks import ASYMMETRIC
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class VICReg(Method):
    """Two views' features are equal, every feature varies over the batch, and no two vary together.

    checked: facebookresearch/vicreg@4e12602
    Compared: expander, loss and gradient.
    Differs: no biases before norms; LARS adapts and decays norms and biases too, and warms up from above 0. 1000 epochs in the
    paper, 100 are the code's default.
    """

    paper = Paper(
        "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning",
        "Bardes, Ponce, LeCun",
        2021,
        "arXiv:2105.04906",
    )
    views = Pair(of={"image": ASYMMETRIC})
    whole_batch = True
    recipe = Recipe(
        optimizer="lars", lr=0.2, scale="linear", batch=2048, weight_decay=1e-6, warmup=10, epochs=100, final_lr=0.001
    )
    recipes = {
        "small": Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40, options={"dim": 1024})
    }

    def __init__(
        self, encoder: Encoder, *, dim: int = 8192, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
    ):
        super().__init__(encoder)
        positive(dim=dim)
        for name, weight in {"invariance": invariance, "variance": variance, "covariance": covariance}.items():
            if not weight >= 0:
                raise TacitError(f"{name} is {weight}; it must be 0 or more.")
        self.projector = mlp(encoder.dim, dim, dim, dim, last_bias=False)
        self.weights = invariance, variance, covariance

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        invariance, variance, covariance = self.weights
        with full_precision():
            apart = (first.float() - second.float()).square().mean()
        (short1, repeated1), (short2, repeated2) = variance_covariance(first), variance_covariance(second)
        return {
            "invariance": (apart, invariance),
            "variance": ((short1 + short2) / 2, variance),
            "covariance": (repeated1 + repeated2, covariance),
        }
