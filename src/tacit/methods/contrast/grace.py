"""GRACE: a node agrees with itself in two corrupted views of its graph."""

from torch import nn

from tacit.errors import positive
from tacit.method import Batch, Method, Paper, Recipe
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.messages import Messages
from tacit.views.kinds import Pair


class GRACE(Method):
    """Every node finds itself in the other view among all nodes of both views.

    Equation 1 of the paper has the node's other view in the numerator, all nodes of the other view and all others of its
    own in the denominator: that is the loss of SimCLR over nodes. Numbers are those of Cora.

    checked: CRIPAC-DIG/GRACE@700be33
    Compared: loss and gradient, projector, corruptions of edges and features, widths and activations of the encoder.
    Differs: weight decay is decoupled from Adam. Graphs of more nodes than a batch give their neighbourhoods by sampling, and
    only nodes of the batch are negatives.
    """

    paper = Paper("Deep Graph Contrastive Representation Learning", "Zhu, Xu, Yu, Liu, Wu, Wang", 2020, "arXiv:2006.04131")
    views = Pair(of={"graph": ({"drop_edges": 0.2, "drop_features": 0.3}, {"drop_edges": 0.4, "drop_features": 0.4})})
    whole_batch = True
    recipe = Recipe(lr=5e-4, batch=4096, weight_decay=1e-5, schedule="constant", epochs=200)

    def __init__(self, encoder: Messages, *, dim: int = 128, temperature: float = 0.4):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        self.projector = nn.Sequential(nn.Linear(encoder.dim, dim), nn.ELU(), nn.Linear(dim, encoder.dim))
        self.temperature = temperature

    def step(self, batch: Batch):
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return nt_xent(first, second, self.temperature)
