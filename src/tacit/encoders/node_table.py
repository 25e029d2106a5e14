"""The encoder of methods that learn a vector for each node and nothing else."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Facts
from tacit.views.graph import GraphView


class NodeTable(nn.Module):
    """A row of `width` numbers for each node of the graph it was made for; it knows no other nodes.

    Rows begin uniform in ±1 / (2 width), as word2vec's do.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 128):
        super().__init__()
        positive(width=width)
        if "nodes" not in facts.more:
            raise TacitError(f"The encoder node_table has a row for each node and got data of kind {facts.kind}; give a graph.")
        self.rows = nn.Parameter((torch.rand(facts.more["nodes"], width) - 0.5) / width)
        self.dim = width

    def forward(self, view: GraphView) -> Tensor:
        """A view of n nodes of the graph it was made for -> n × dim."""
        return self.lookup(view.nodes[view.rows])

    def lookup(self, index: Tensor) -> Tensor:
        """Nodes' numbers, int64, n -> n × dim."""
        if len(index) and not 0 <= int(index.min()) <= int(index.max()) < len(self.rows):
            raise TacitError(
                f"Node {int(index.max())} was asked for and this table was trained on {len(self.rows)} nodes; "
                "a new graph needs a training of its own, or an encoder that reads features."
            )
        return self.rows[index]
