"""TLDR: fewer dimensions, in which neighbours stay neighbours."""

from tacit.errors import positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Plan, Recipe
from tacit.objectives.cross_correlation import cross_correlation
from tacit.parts.mlp import mlp
from tacit.parts.partners import Partners
from tacit.parts.sequences.unchanged import UNCHANGED
from tacit.views.kinds import NeighbourValues

SCALE = 1 / 32  # of the loss, as Barlow Twins' code has it too


class TLDR(Method):
    """A vector and one of its `neighbours` nearest are a pair: what a wide projector makes of them agrees, number by number.

    For vectors of any frozen encoder, and rows of tables. The encoder makes them small: linear with `--depth 0 --width 32`,
    else a perceptron; the projector is Barlow Twins'. Each epoch draws one neighbour of each vector.

    checked: naver/tldr@bcbd043
    Compared: linear encoder, projector, loss and gradient.
    Differs: features are standardised, neighbours are by cosine, and a vector is kept from being its own by its place; the code
    takes inner products of vectors as they come, and leaves out whatever is found first. The perceptron's last layer has a
    bias. The factorised linear encoder is left out.
    """

    paper = Paper(
        "TLDR: Twin Learning for Dimensionality Reduction", "Kalantidis, Lassance, Almazán, Larlus", 2022, "arXiv:2110.09455"
    )
    views = NeighbourValues(of=UNCHANGED)
    whole_batch = True
    recipe = Recipe(
        optimizer="lars", lr=0.2, scale="linear", batch=1024, weight_decay=1e-6, warmup=10, epochs=100, final_lr=0.001
    )
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=256,
            weight_decay=1e-4,
            warmup=2,
            epochs=40,
            options={"dim": 512},  # correlations of many features are noisy in small batches
        )
    }

    def __init__(self, encoder: Encoder, *, neighbours: int = 5, dim: int = 2048, off_diagonal: float = 0.0039):
        super().__init__(encoder)
        positive(neighbours=neighbours, dim=dim, off_diagonal=off_diagonal)
        self.projector = mlp(encoder.dim, dim, dim, dim, last_bias=False)
        self.neighbours, self.off_diagonal = neighbours, off_diagonal

    def prepare(self, facts: Facts):
        self.partners = Partners(facts.n, self.neighbours)

    def before_epoch(self, embed):
        return Plan(partners=self.partners.found(lambda: embed(how=lambda batch: batch.views[0].flatten(1))))

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return cross_correlation(first, second, self.off_diagonal) * SCALE
