"""What SCAN begins with: SimCLR whose projector has no norms, by which neighbours are found."""

from torch import Tensor

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Recipe
from tacit.methods.clustering.scan.paper import PAPER
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class Pretext(Method):
    """Two views of one thing agree; views of different things do not."""

    paper, views, whole_batch = PAPER, Pair(), True
    recipe = Recipe(optimizer="sgd", lr=0.4, batch=512, weight_decay=1e-4, epochs=500)
    recipes = {"small": Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=40)}

    def __init__(self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.1):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        self.projector, self.temperature = mlp(encoder.dim, encoder.dim, dim, norm=False), temperature

    def step(self, batch: Batch):
        first, second = (self.projected(Batch([view], batch.index)) for view in batch)
        return nt_xent(first, second, self.temperature)

    def projected(self, batch: Batch) -> Tensor:
        """By whose cosine neighbours are near: n × dim."""
        return self.projector(self.encoder(batch.views[0]))
