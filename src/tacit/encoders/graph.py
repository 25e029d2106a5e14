"""Encoders of nodes, of torch-geometric's layers: what a node says depends on what it hears from `depth` steps away."""

import warnings
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError, positive, shares, unknown
from tacit.method import Facts
from tacit.numerics.exact import full_precision
from tacit.numerics.sparse import dropout as dropped
from tacit.views.graph import GraphView

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "prelu": nn.PReLU, "elu": nn.ELU}


def layers() -> ModuleType:
    """torch_geometric.nn, imported here and not before."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torch's, about what torch_geometric's own modules use
            from torch_geometric import nn as found
    except ModuleNotFoundError as error:
        raise TacitError(
            f"Encoders of graphs need torch-geometric and {error.name} is not installed; run pip install 'tacit[graphs]'."
        ) from error
    return found


class NodeEncoder(nn.Module):
    """Layers of message passing with an activation after each, the last one's included: F -> middle -> … -> width.

    `dropout` is the share of features that each layer does not see in training.
    """

    dim: int = 0  # said here, so that its heirs are known to have it

    def __init__(
        self,
        facts: Facts,
        layer: Callable[[int, int], nn.Module],
        middle: int,
        width: int,
        depth: int,
        activation: str,
        dropout: float = 0.0,
    ):
        super().__init__()
        positive(middle=middle, width=width, depth=depth)
        shares(dropout=dropout)
        if facts.kind != "graph":
            raise TacitError(f"An encoder of nodes got data of kind {facts.kind}; take an encoder for that kind.")
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        widths = [facts.shape[0], *[middle] * (depth - 1), width]
        self.layers = nn.ModuleList(layer(*pair) for pair in pairwise(widths))
        self.activations = nn.ModuleList(ACTIVATIONS[activation]() for _ in self.layers)
        self.dim, self.dropout = width, dropout

    def forward(self, view: GraphView) -> Tensor:
        """A view of n nodes -> n × dim."""
        with full_precision():
            return self.activations[-1](self.linear(view))

    def linear(self, view: GraphView) -> Tensor:
        """The same without the activation of the last layer."""
        depth = len(self.layers)
        if 0 <= view.hops < depth:
            raise TacitError(f"The views reach {view.hops} steps and the encoder has {depth} layers; give --hops {depth}.")
        with full_precision():  # sums over many neighbours, and sparse features, which know nothing else
            x, edges = dropped(view.x, self.dropout, self.training), self.messages(view)
            for layer, activation in zip(self.layers[:-1], self.activations):
                x = dropped(activation(layer(x, *edges)), self.dropout, self.training)
            return self.layers[-1](x, *edges)[view.rows]

    def messages(self, view: GraphView) -> tuple[Tensor, ...]:
        """What every layer is told of the edges: by default whence and whither."""
        return (view.edge_index,)


class GCN(NodeEncoder):
    """Graph convolutions, W D^-1/2 (A + I) D^-1/2 X (Kipf and Welling 2017, arXiv:1609.02907, equation 2).

    Every node hears itself once more than the graph says. D is the degree in the whole graph, so that part of a graph gives
    what the whole gives.
    """

    weighs_edges = True  # so that gradient reaches the weights of a graph that is itself learned

    def __init__(
        self,
        facts: Facts,
        *,
        middle: int = 256,
        width: int = 128,
        depth: int = 2,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__(facts, lambda i, o: layers().GCNConv(i, o, normalize=False), middle, width, depth, activation, dropout)

    def messages(self, view: GraphView) -> tuple[Tensor, ...]:
        scale = (view.degree + 1).clamp(min=1e-12).rsqrt()  # weights may be negative
        loops = torch.arange(len(view.degree), device=view.edge_index.device)
        source, target = view.edge_index
        weights = torch.cat([scale[source] * view.weight * scale[target], scale.square()])
        return torch.cat([view.edge_index, loops.expand(2, -1)], 1), weights


class SAGE(NodeEncoder):
    """GraphSAGE with the mean of the neighbours beside the node itself (Hamilton et al. 2017, arXiv:1706.02216).

    Weights of edges are not used.
    """

    def __init__(self, facts: Facts, *, middle: int = 256, width: int = 128, depth: int = 2, activation: str = "relu"):
        super().__init__(facts, lambda i, o: sage_layer()(i, o), middle, width, depth, activation)


class GAT(NodeEncoder):
    """Attention to the neighbours and the node itself, `heads` of it (Veličković et al. 2018, arXiv:1710.10903).

    The heads' answers lie side by side, so `middle` and `width` are multiples of `heads`. Weights of edges are not used.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        middle: int = 256,
        width: int = 128,
        depth: int = 2,
        activation: str = "elu",
        heads: int = 4,
    ):
        positive(heads=heads)
        if middle % heads or width % heads:
            raise TacitError(f"middle is {middle} and width {width}; both must be multiples of the {heads} heads.")
        super().__init__(facts, lambda i, o: layers().GATConv(i, o // heads, heads), middle, width, depth, activation)


class GIN(NodeEncoder):
    """Sums of neighbours through a small network of two layers (Xu et al. 2019, arXiv:1810.00826, equation 4.1).

    With batch normalisation within, as in the paper's experiments; the share of the node itself is learned. Weights of edges
    are not used.
    """

    def __init__(self, facts: Facts, *, middle: int = 256, width: int = 128, depth: int = 2, activation: str = "relu"):
        super().__init__(facts, lambda i, o: gin_layer()(_two(i, o), train_eps=True), middle, width, depth, activation)


@cache
def sage_layer() -> Any:
    """torch-geometric's, which takes features in compressed rows too."""

    class Layer(layers().SAGEConv):  # type: ignore[misc]
        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            if x.layout != torch.sparse_csr:
                return super().forward(x, edge_index)
            told = F.linear(x, self.lin_l.weight)  # rows that are compressed cannot be gathered: the mean of products
            return self.propagate(edge_index, x=(told, told), size=None) + self.lin_l.bias + self.lin_r(x)

    return Layer


@cache
def gin_layer() -> Any:
    """The same of GIN's."""

    class Layer(layers().GINConv):  # type: ignore[misc]
        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            if x.layout != torch.sparse_csr:
                return super().forward(x, edge_index)
            first, *others = self.nn
            told = F.linear(x, first.weight)  # the sum of products
            found = self.propagate(edge_index, x=(told, told), size=None) + (1 + self.eps) * told + first.bias
            return nn.Sequential(*others)(found)

    return Layer


def _two(width: int, to: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, to), nn.BatchNorm1d(to), nn.ReLU(), nn.Linear(to, to))
