"""Nodes of a graph seen once more: edges dropped, features masked, and of a large graph some neighbours of each node."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.data.networks.graph import Graph, Nodes
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.numerics.neighbours import Reached, reach
from tacit.numerics.sparse import compressed, dense, with_values
from tacit.views import changed
from tacit.views.kinds import Neighbours, Pair, Plain, Single, View

WALKS, LENGTH = 64, 20  # walks taken together until enough nodes are seen, and the steps of each
NO_RELATIONS = torch.empty(3, 0, dtype=torch.int64)


class GraphView(NamedTuple):
    """A graph, or as much of it as n of its nodes can hear of in `hops` steps, and which of its nodes they are."""

    x: Tensor  # float32, m × F; of a whole graph sparse (CSR) where few features are not 0
    edge_index: Tensor  # int64, 2 × E: from where a message comes, and where it goes; both below m
    weight: Tensor  # float32, E
    degree: Tensor  # float32, m: the weight of all edges that lead to a node, those outside this view included
    rows: Tensor  # int64, n: the nodes that were asked for, below m
    nodes: Tensor  # int64, m: what number each has in the graph
    hops: int  # from how far away messages are whole; −1: from everywhere
    relations: Tensor = NO_RELATIONS  # int64, 3 × R, where asked for: which relation an edge is of, its source and target

    @property
    def shape(self) -> tuple[int, int]:
        """Nodes that were asked for, and their features."""
        return len(self.rows), self.x.shape[1]

    @property
    def device(self) -> torch.device:
        return self.x.device

    def dense(self) -> Tensor:
        """The features of all nodes: m × F."""
        return dense(self.x)

    def raw(self) -> Tensor:
        """The features of the nodes that were asked for: n × F."""
        return self.dense()[self.rows]


@dataclass(frozen=True)
class GraphViews:
    """The options of a view of nodes: the corruptions of GRACE (Zhu et al. 2020, arXiv:2006.04131, section 3.2.2).

    A batch of all nodes sees the whole graph. Of a smaller one each node hears of at most `fanout` neighbours, drawn without
    replacement, and of as many of each of those, `hops` steps out (Hamilton et al. 2017, arXiv:1706.02216, algorithm 2).
    What a node draws depends on the key and the node alone, so views are alike in whatever batch they are seen. Role
    "plain" sees all neighbours.
    """

    mean: tuple[float, ...]  # of each feature where some are negative, to standardise them; else (), and rows sum to 1
    std: tuple[float, ...]
    columns: int  # features of a node
    scaled: bool = True  # else features are as they are
    drop_edges: float = 0.2  # probability that an edge is dropped, each direction by itself
    drop_features: float = 0.3  # probability that a feature is 0, for all nodes alike
    subgraph: float = 1.0  # share of the nodes that keep their edges: those that walks come to first; of a whole graph
    hops: int = 2  # as many as the encoder has layers
    fanout: int = 10
    diffusion: float = 0.0  # messages come by walks that return with this probability, not by edges; 0: by edges
    undirected: bool = False  # messages also go against the edges of a directed graph
    whole: bool = False  # a batch of some nodes sees the whole graph too, and every relation of a multiplex graph

    name: ClassVar[str] = "graph"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, Neighbours)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for option in ("drop_edges", "drop_features", "diffusion"):
            if not 0 <= getattr(self, option) <= 1:
                raise TacitError(f"{option} is {getattr(self, option)}; give a probability, from 0 to 1.")
        if not 0 < self.subgraph <= 1:
            raise TacitError(
                f"subgraph is {self.subgraph}; give the share of the nodes that stay connected, above 0 and up to 1."
            )
        if self.hops < 1 or self.fanout < 1:
            raise TacitError(f"hops is {self.hops} and fanout {self.fanout}; both count from 1.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "GraphViews":
        """Options for nodes of which `facts` says `shape` and whether features are `signed`, then their `mean` and `std`."""
        own = (tuple(facts["mean"]), tuple(facts["std"])) if facts["signed"] else ((), ())
        return cls(*own, facts["shape"][0]).but(**overrides)

    def but(self, **how: Any) -> "GraphViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def shape(self) -> tuple[int]:
        """Of one node: features."""
        return (self.columns,)

    def look(
        self, content: Nodes, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[GraphView, dict[str, Tensor]]:
        """One view of the nodes, on the device of `content.index`, without parameters.

        `index` does not matter: a node's randomness is its own in the whole graph. `how` changes options for this view.
        """
        options = self.but(**how)
        if role not in ("global", "plain"):
            raise unknown("role of a view", role, ("global", "plain"))
        graph, device = content.graph.undirected if options.undirected else content.graph, content.index.device
        if graph.described.shape[1] != self.columns:
            raise TacitError(f"Nodes of {graph.described.shape[1]} features came where {self.columns} were expected.")
        if options.diffusion:
            graph = graph.diffused(options.diffusion)
        plain = role == "plain"
        dropped: np.ndarray = np.zeros(self.columns, bool)
        if not plain:
            dropped = counter.uniform(counter.key(key, "features"), np.arange(self.columns), 1)[:, 0] < options.drop_features
        kept = torch.from_numpy(~dropped).to(device)
        drop = 0.0 if plain else options.drop_edges
        if options.whole:
            view = options._whole(graph, content.index, drop, kept, key, plain)
            return view._replace(relations=content.graph.on(device, "related")), {}
        if len(content.index) == len(graph):
            return options._whole(graph, content.index, drop, kept, key, plain), {}
        if options.subgraph < 1 and not plain:
            raise TacitError(
                f"A subgraph is drawn of a whole graph, and {len(content.index):,} of {len(graph):,} nodes hear of one "
                f"anyway; leave --subgraph out, or give --batch {len(graph)}."
            )
        nodes = content.index.cpu().numpy()
        seen = reach(graph.backward, nodes, options.hops, 0 if plain else options.fanout, drop, key)
        return self._part(graph, seen, options.hops, kept, device), {}

    def _whole(self, graph: Graph, index: Tensor, drop: float, kept: Tensor, key: int, plain: bool) -> GraphView:
        """The whole graph without some of its edges."""
        device = index.device
        ends = torch.stack([graph.on(device, "sources").long(), graph.on(device, "indices").long()])
        weight = torch.ones(graph.edges, device=device) if graph.weights is None else graph.on(device, "weights")
        stays = np.ones(graph.edges, bool)
        if drop:
            stays &= counter.uniform(counter.key(key, "edges"), np.arange(graph.edges), 1)[:, 0] >= drop
        if self.subgraph < 1 and not plain:
            inside = walked(graph, self.subgraph, key)
            stays &= inside[graph.sources] & inside[graph.indices]
        if not stays.all():
            chosen = torch.from_numpy(stays).to(device)
            ends, weight = ends[:, chosen], weight[chosen]
        degree = torch.zeros(len(graph), device=device).index_add_(0, ends[1], weight)
        x, nodes = _masked(self._features(graph, device), kept), torch.arange(len(graph), device=device)
        return GraphView(x, ends, weight, degree, index, nodes, -1)

    def _part(self, graph: Graph, seen: Reached, hops: int, kept: Tensor, device: torch.device) -> GraphView:
        """What was reached from the nodes of a batch, which are the first of those reached."""
        x = self._scaled(torch.from_numpy(np.asarray(graph.described[seen.nodes], np.float32))).to(device) * kept
        told = (seen.ends, seen.weights, seen.degrees, seen.rows, seen.nodes)
        ends, weight, degree, rows, nodes = (torch.from_numpy(array).to(device) for array in told)
        return GraphView(x, ends, weight, degree, rows, nodes, hops)

    def _features(self, graph: Graph, device: torch.device) -> Tensor:
        """Of all nodes; kept with the graph, since every epoch sees them."""
        name = "scaled" if self.scaled else "unscaled"
        if (name, device) not in graph.held:
            x = self._scaled(torch.from_numpy(np.asarray(graph.described, np.float32)))
            graph.held[name, device] = compressed(x).to(device)
        return graph.held[name, device]

    def _scaled(self, x: Tensor) -> Tensor:
        """Rows that sum to 1, or standardised columns, where either is asked for."""
        if not self.scaled:
            return x
        if not self.mean:
            return x / x.sum(1, keepdim=True).clamp(min=1e-12)
        mean, std = torch.tensor(self.mean), torch.tensor(self.std)
        return (x - mean) / torch.where(std > 0, std, 1)


def walked(graph: Graph, share: float, key: int) -> np.ndarray:
    """The nodes that walks from random nodes come to first, a share of all: bool, n (You et al. 2020, arXiv:2010.13902)."""
    n = len(graph)
    inside, left, starts = np.zeros(n, bool), math.ceil(share * n), counter.permutation(counter.key(key, "starts"), n)
    for at in range(0, n, WALKS):
        walks = np.arange(at, min(at + WALKS, n))
        draws, seen = counter.uniform(counter.key(key, "steps"), walks, LENGTH), [starts[walks]]
        for step in range(LENGTH if graph.edges else 0):
            here = seen[-1]
            degree = graph.degrees[here]
            place = np.minimum(graph.indptr[here] + (draws[:, step] * degree).astype(np.int64), graph.edges - 1)
            seen.append(np.where(degree > 0, graph.indices[place], here))
        nodes = np.stack(seen, 1).ravel()
        nodes = nodes[~inside[nodes]]
        _, first = np.unique(nodes, return_index=True)
        inside[nodes[np.sort(first)[:left]]] = True
        left -= min(left, len(first))
        if not left:
            break
    return inside


def _masked(x: Tensor, kept: Tensor) -> Tensor:
    """The same with 0 in the columns that are not kept."""
    if x.layout != torch.sparse_csr:
        return x * kept
    return with_values(x, x.values() * kept[x.col_indices()])
