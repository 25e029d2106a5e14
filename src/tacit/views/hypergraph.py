"""Nodes of a hypergraph seen once more: hyperedges dropped, members dropped from them, entries of the features masked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.data.networks.hypergraph import Hypergraph, Members
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.numerics.sparse import compressed, dense, with_values
from tacit.views import changed
from tacit.views.kinds import Hyperedges, Pair, Plain, Single, View


class HypergraphView(NamedTuple):
    """A hypergraph without some of its incidences, and which of its nodes were asked for."""

    x: Tensor  # float32, N × F: of all nodes; sparse (CSR) where few features are not 0
    members: Tensor  # int64, p: the node of each incidence that is left
    edges: Tensor  # int64, p: its hyperedge, below `hyperedges`, ascending
    whole: Tensor  # int64, 2 × P: node and hyperedge of every incidence, those that this view lacks included
    rows: Tensor  # int64, n: the nodes that were asked for, below N
    hyperedges: int  # M

    @property
    def shape(self) -> tuple[int, int]:
        """Nodes that were asked for, and their features."""
        return len(self.rows), self.x.shape[1]

    @property
    def device(self) -> torch.device:
        return self.x.device

    def all(self) -> "HypergraphView":
        """The same, all nodes asked for in their order."""
        return self._replace(rows=torch.arange(len(self.x), device=self.x.device))

    def dense(self) -> Tensor:
        """The features of all nodes: N × F."""
        return dense(self.x)

    def raw(self) -> Tensor:
        """The features of the nodes that were asked for: n × F."""
        return self.dense()[self.rows]


@dataclass(frozen=True)
class HypergraphViews:
    """The options of a view of nodes: masked entries of the features and dropped hyperedges as in HypeBoy (Kim et al. 2024,
    arXiv:2404.00638, section 4.1), dropped members as in TriCL (Lee and Shin 2023, arXiv:2206.04739, section 4.2).

    Every batch sees the whole hypergraph, so the view of a node is the same whatever batch it is in.
    """

    mean: tuple[float, ...]  # of each feature where some are negative, to standardise them; else ()
    std: tuple[float, ...]
    divisor: float  # by which features are divided where none is negative
    features: int
    drop_hyperedges: float = 0.2  # the share of hyperedges that is dropped, the whole of each
    drop_members: float = 0.2  # probability that a node is dropped from a hyperedge
    drop_entries: float = 0.3  # probability that an entry of the features is 0, each by itself

    name: ClassVar[str] = "hypergraph"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, Hyperedges)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for option in ("drop_hyperedges", "drop_members", "drop_entries"):
            if not 0 <= getattr(self, option) <= 1:
                raise TacitError(f"{option} is {getattr(self, option)}; give a share, from 0 to 1.")
        if not self.divisor > 0 or len(self.mean) != len(self.std) or len(self.mean) not in (0, self.features):
            raise TacitError(
                f"{len(self.mean)} means, {len(self.std)} stds and a divisor of {self.divisor} came for {self.features} "
                "features; give one mean and std of each or none, and a divisor above 0."
            )

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "HypergraphViews":
        """Options for nodes of which `facts` says `shape`, and `mean` and `std` or `divisor` of their features."""
        return cls(tuple(facts["mean"]), tuple(facts["std"]), facts["divisor"], facts["shape"][0]).but(**overrides)

    def but(self, **how: Any) -> "HypergraphViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def shape(self) -> tuple[int]:
        """Of one node: features."""
        return (self.features,)

    def look(
        self, content: Members, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[HypergraphView, dict[str, Tensor]]:
        """One view of the nodes, on the device of `content.rows`, without parameters.

        `index` does not matter: what is dropped is drawn for the whole hypergraph. `how` changes options for this view.
        """
        options = self.but(**how)
        if role not in ("global", "plain"):
            raise unknown("role of a view", role, ("global", "plain"))
        graph, device = content.hypergraph, content.rows.device
        if graph.described.shape[1] != self.features:
            raise TacitError(f"Nodes of {graph.described.shape[1]} features came where {self.features} were expected.")
        members, edges = graph.on(device, "members"), graph.on(device, "edges")
        x, whole = self._features(graph, device), torch.stack([members, edges])
        if role == "global":
            if options.drop_entries:
                x = _masked(x, counter.key(key, "entries"), options.drop_entries)
            if options.drop_hyperedges or options.drop_members:
                stays = torch.from_numpy(options._left(graph, key)).to(device)
                members, edges = members[stays], edges[stays]
        return HypergraphView(x, members, edges, whole, content.rows, graph.m), {}

    def _left(self, graph: Hypergraph, key: int) -> np.ndarray:
        """Which incidences are left: bool, P."""
        dropped = np.zeros(graph.m, bool)
        dropped[counter.permutation(counter.key(key, "hyperedges"), graph.m)[: int(self.drop_hyperedges * graph.m)]] = True
        draws = counter.uniform(counter.key(key, "members"), np.arange(len(graph.members)), 1)[:, 0]
        return ~dropped[graph.edges] & (draws >= self.drop_members)

    def _features(self, graph: Hypergraph, device: torch.device) -> Tensor:
        """Of all nodes, scaled; kept with the hypergraph, since every batch sees them."""
        if ("scaled", device) not in graph.held:
            x = torch.from_numpy(np.asarray(graph.described, np.float32))
            if self.mean:
                mean, std = torch.tensor(self.mean), torch.tensor(self.std)
                x = (x - mean) / torch.where(std > 0, std, 1)
            else:
                x = x / self.divisor
            graph.held["scaled", device] = compressed(x).to(device)
        return graph.held["scaled", device]


def _masked(x: Tensor, key: int, rate: float) -> Tensor:
    """The same with some entries 0; of sparse features those that are 0 anyway need no draw."""
    if x.layout != torch.sparse_csr:
        draws = counter.uniform(key, np.arange(len(x)), x.shape[1])
        return x * torch.from_numpy(draws >= rate).to(x.device)
    draws = counter.uniform(key, np.arange(len(x.values())), 1)[:, 0]
    return with_values(x, x.values() * torch.from_numpy(draws >= rate).to(x.device))
