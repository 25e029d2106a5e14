"""SimSiam: a predictor and a stopped gradient."""

from torch import nn

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.prediction import cosine_distance
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.views.kinds import Pair


class SimSiam(Method):
    """Each view predicts the other, which gets no gradient: no negatives, no slow teacher.

    checked: facebookresearch/simsiam@a7bc177
    Compared: projector, predictor, loss and gradient; the predictor's rate, which stays, as in the code's published command.
    Differs: the loss is the published negative cosine plus 1; there norms and biases decay too, rates fall by epochs, and the
    encoder's residual branches start at zero.
    """

    paper = Paper("Exploring Simple Siamese Representation Learning", "Chen, He", 2020, "arXiv:2011.10566")
    views = Pair(of={"image": ONE_LOOK})
    recipe = Recipe(optimizer="sgd", lr=0.05, scale="linear", batch=512, weight_decay=1e-4, epochs=100)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=128,
            weight_decay=1e-4,
            warmup=1,
            epochs=40,
            options={"dim": 256, "hidden": 1024},
        )
    }

    def __init__(self, encoder: Encoder, *, dim: int = 2048, hidden: int = 512):
        super().__init__(encoder)
        positive(dim=dim, hidden=hidden)
        self.projector = mlp(encoder.dim, encoder.dim, encoder.dim, dim, last_bias=False)
        self.standardise = nn.BatchNorm1d(dim, affine=False)
        self.predictor = mlp(dim, hidden, dim)

    def groups(self):
        return {"predictor": {"schedule": "constant"}}

    def step(self, batch: Batch):
        first, second = (self.standardise(self.projector(self.encoder(view))) for view in batch)
        forth = cosine_distance(self.predictor(first), second.detach())
        back = cosine_distance(self.predictor(second), first.detach())
        return (forth + back) / 2
