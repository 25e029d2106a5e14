"""UniGCNII: what nodes of a hypergraph hear from those that they share hyperedges with."""

import math

import torch
from torch import Tensor, nn

from tacit.numerics.exact import full_precision
from tacit.numerics.sparse import dropout


class UniGCNII(nn.Module):
    """A linear layer with ReLU, then `depth` rounds of messages, ReLU between them: F -> width.

    In a round every hyperedge takes the mean of its nodes, divided by the root of their mean degree, and every node the sum
    of its hyperedges, divided by the root of its own degree; a share `initial` of the first layer's answer is mixed in, and
    round l is multiplied by (1 − β) I + β W with β = log(identity / l + 1) (Huang and Yang 2021, arXiv:2105.00956, equation
    11). A node in no hyperedge hears itself alone. Dropout stands before every linear map.
    """

    def __init__(self, features: int, width: int, depth: int, *, dropout: float, initial: float = 0.1, identity: float = 0.5):
        super().__init__()
        self.first = nn.Linear(features, width)
        self.rounds = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(depth))
        self.dropout, self.initial, self.identity = dropout, initial, identity

    def forward(self, x: Tensor, members: Tensor, edges: Tensor, hyperedges: int, rows: Tensor) -> Tensor:
        """Features N × F (dense or CSR), incidences (p nodes and p hyperedges) and n nodes -> n × width."""
        ones = torch.ones_like(members, dtype=torch.float32)
        degree = ones.new_zeros(len(x)).index_add_(0, members, ones)
        size = ones.new_zeros(hyperedges).index_add_(0, edges, ones).clamp(min=1)
        mean_degree = ones.new_zeros(hyperedges).index_add_(0, edges, degree[members]) / size
        of_edge = (size * mean_degree.clamp(min=1).sqrt()).reciprocal()[:, None]
        of_node, alone = degree.clamp(min=1).rsqrt()[:, None], (degree == 0)[:, None]
        x = start = self.read(x).float().relu()  # sums over many nodes want float32, whatever linear maps take
        for number, linear in enumerate(self.rounds, 1):
            x = dropout(x, self.dropout, self.training)
            told = x.new_zeros(hyperedges, x.shape[1]).index_add_(0, edges, x[members]) * of_edge
            heard = torch.zeros_like(x).index_add_(0, members, told[edges]) * of_node
            x = (1 - self.initial) * torch.where(alone, x, heard) + self.initial * start
            last, beta = number == len(self.rounds), math.log(self.identity / number + 1)
            x = x[rows] if last else x
            x = (1 - beta) * x + beta * linear(x)
            x = x if last else x.relu()
        return x

    def read(self, x: Tensor) -> Tensor:
        """The first linear layer, of sparse features too."""
        x = dropout(x, self.dropout, self.training)
        if x.layout != torch.sparse_csr:
            return self.first(x)
        with full_precision():  # which is all that sparse products know
            return torch.sparse.mm(x, self.first.weight.T) + self.first.bias
