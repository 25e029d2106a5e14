"""Nodes of a graph, and whole graphs, in."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.exporting.front import Front, one
from tacit.numerics.sparse import dense
from tacit.views.graph import GraphView, GraphViews
from tacit.views.graphs import GraphsView, GraphsViews


class NodesFront(Front):
    """A graph -> the view of all of its nodes."""

    names = ("features", "edge_index", "weight")
    varying = ({0: "nodes"}, {1: "edges"}, {0: "edges"})

    def __init__(self, views: GraphViews, facts: Mapping[str, Any]):
        super().__init__()
        self.views = views
        self.said = (
            f"float32, nodes × {views.columns}",
            "int64, 2 × edges: from which node a message comes, and to which it goes; an undirected edge stands there twice",
            "float32, edges: 1 where edges have no weight",
        )

    def forward(self, features: Tensor, edge_index: Tensor, weight: Tensor) -> GraphView:
        x = features
        if self.views.scaled and self.views.mean:
            mean, std = torch.tensor(self.views.mean), torch.tensor(self.views.std)
            x = (x - mean) / torch.where(std > 0, std, 1.0)
        elif self.views.scaled:
            x = x / x.sum(1, keepdim=True).clamp(min=1e-12)
        degree = torch.zeros_like(features[:, 0]).index_add(0, edge_index[1], weight)
        everyone = torch.ones_like(features[:, 0], dtype=torch.int64).cumsum(0) - 1
        return GraphView(x, edge_index, weight, degree, everyone, everyone, -1)

    def made_up(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        return _made_up(self.views.columns, generator)

    def seen(self, view: GraphView) -> GraphView:
        return view._replace(x=dense(view.x))

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        """The whole graph, whatever the position."""
        content, _ = samples.read(np.arange(len(samples)))
        nodes = content._replace(index=torch.arange(len(content.graph)))
        view, _ = self.views.look(nodes, np.arange(len(content.graph)), 0, "plain")
        features = torch.from_numpy(np.asarray(content.graph.described, np.float32))
        return (features, view.edge_index, view.weight), nodes


class GraphsFront(Front):
    """Some graphs side by side -> a view of them."""

    names = ("features", "edge_index", "weight", "sizes")
    varying = ({0: "nodes"}, {1: "edges"}, {0: "edges"}, {0: "batch"})

    def __init__(self, views: GraphsViews, facts: Mapping[str, Any]):
        super().__init__()
        self.mean, self.std, self.columns, self.views = views.mean, views.std, views.columns, views
        self.said = (
            f"float32, nodes × {views.columns}: of the first graph, then of the second, and so on",
            "int64, 2 × edges: from which node a message comes, and to which it goes, counted over all graphs",
            "float32, edges: 1 where edges have no weight",
            "int64, batch: how many nodes each graph has",
        )

    def forward(self, features: Tensor, edge_index: Tensor, weight: Tensor, sizes: Tensor) -> GraphsView:
        x = features
        if self.mean:
            mean, std = torch.tensor(self.mean), torch.tensor(self.std)
            x = (x - mean) / torch.where(std > 0, std, 1.0)
        node = torch.ones_like(features[:, 0], dtype=torch.int64).cumsum(0) - 1
        graph = (node[:, None] >= sizes.cumsum(0)).sum(1)
        return GraphsView(x, edge_index, weight, graph, sizes.shape[0])

    def made_up(self) -> tuple[Tensor, ...]:
        return (*_made_up(self.columns, torch.Generator().manual_seed(0)), torch.tensor([4, 2, 5]))

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, _ = samples.read(one(position))
        view, _ = self.views.look(content, one(position), 0, "plain")
        union, graph = content.union, int(content.index[0])
        features = union.whole.described[union.starts[graph] : union.starts[graph + 1]].astype(np.float32)
        return (torch.from_numpy(features), view.edge_index, view.weight, torch.tensor([len(features)])), content


def _made_up(columns: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Eleven nodes and 17 edges."""
    ends = torch.randint(0, 11, (2, 17), generator=generator)
    return torch.rand(11, columns, generator=generator), ends, torch.rand(17, generator=generator) + 0.5
