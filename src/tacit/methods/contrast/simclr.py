"""SimCLR."""

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class SimCLR(Method):
    """Two views of one thing agree; views of different things do not.

    checked: google-research/simclr@244e712
    Compared: loss and gradient, projector (two layers, as in the paper; the code's default is three) and LARS.
    Differs: the paper's loss, a mean over views; the code's is the sum of two directions, twice as large.
    """

    paper = Paper(
        "A Simple Framework for Contrastive Learning of Visual Representations",
        "Chen, Kornblith, Norouzi, Hinton",
        2020,
        "arXiv:2002.05709",
    )
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="lars", lr=0.3, scale="linear", batch=4096, weight_decay=1e-6, warmup=10, epochs=100)
    recipes = {"small": Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40)}

    def __init__(self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.1):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        self.projector = mlp(encoder.dim, encoder.dim, dim, last_norm=True)
        self.temperature = temperature

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return nt_xent(first, second, self.temperature)
