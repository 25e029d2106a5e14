"""The encoder of the nodes of a hypergraph."""

from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Facts
from tacit.parts.unigcnii import UniGCNII
from tacit.views.hypergraph import HypergraphView


class UniGCNIIEncoder(nn.Module):
    """UniGCNII (Huang and Yang 2021, arXiv:2105.00956), as HypeBoy takes it: a linear layer and `depth` rounds of messages."""

    dim: int

    def __init__(self, facts: Facts, *, width: int = 128, depth: int = 2, dropout: float = 0.5):
        super().__init__()
        positive(width=width, depth=depth)
        if facts.kind != "hypergraph":
            raise TacitError(
                f"unigcnii encodes nodes of a hypergraph and these are of kind {facts.kind}; take another encoder."
            )
        if not 0 <= dropout < 1:
            raise TacitError(f"dropout is {dropout}; give a share from 0 to below 1.")
        self.layers = UniGCNII(facts.shape[0], width, depth, dropout=dropout)
        self.dim = width

    def forward(self, view: HypergraphView) -> Tensor:
        """A view of n nodes -> n × dim."""
        return self.layers(view.x, view.members, view.edges, view.hyperedges, view.rows)
