"""Arms of claims on a graph: classes of nodes from few of them, and edges that were held back."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.claims.node_labels import opened
from tacit.data.networks.edge_split import split_edges
from tacit.data.networks.graph import GraphNodes
from tacit.evaluation.labelled.links import link_prediction
from tacit.evaluation.labelled.nodes import node_classification
from tacit.method import Method
from tacit.pretraining import pretrain

QUICK = {"epochs": 2}  # in place of what a claim fixes


@dataclass(frozen=True)
class Classified:
    """Train on all nodes, and tell classes by logistic regression on random tenths: accuracy in per cent over three splits."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    short: Mapping[str, Any] = field(default_factory=lambda: QUICK)

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        return classified(embedded(self.method, nodes, seed, {**self.options, **(self.short if quick else {})}), nodes, seed)


@dataclass(frozen=True)
class Features:
    """The nodes' own features, on the same splits."""

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        return classified(torch.from_numpy(np.asarray(nodes.graph.described, np.float32)), nodes, seed)


@dataclass(frozen=True)
class Linked:
    """Train without a tenth of the edges, and tell these from pairs without one: AUC and average precision in per cent."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    featured: bool = True  # else the degree stands for the features

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        if not self.featured:
            nodes = replace(nodes, graph=replace(nodes.graph, features=None))
        split = split_edges(nodes, seed=seed)
        z = embedded(self.method, split.train, seed, {**self.options, **(QUICK if quick else {})})
        return {n.name: 100 * n.value for n in link_prediction(z, split.test, split.test_absent)}


@dataclass(frozen=True)
class CommonNeighbours:
    """The baseline that learns nothing: how many neighbours a pair shares."""

    def measure(self, seed: int, quick: bool) -> Measures:
        split = split_edges(opened("cora", quick), seed=seed)
        graph = split.train.graph
        adjacency = torch.zeros(len(graph), len(graph))
        adjacency[torch.from_numpy(graph.sources).long(), torch.from_numpy(graph.indices).long()] = 1
        return {n.name: 100 * n.value for n in link_prediction(adjacency, split.test, split.test_absent)}


def classified(vectors: Tensor, nodes: GraphNodes, seed: int) -> Measures:
    """Accuracy of nodes in per cent."""
    assert nodes.labels is not None
    found = node_classification(vectors, torch.from_numpy(nodes.labels), {}, seed, splits=3)
    return {"accuracy": 100 * found[0].value}


def embedded(method: type[Method], nodes: GraphNodes, seed: int, options: Mapping[str, Any]) -> Tensor:
    """All nodes through a method that was trained on them: N × d."""
    with tempfile.TemporaryDirectory() as folder:
        run = pretrain(
            nodes, method, out=Path(folder) / "run", seed=seed, quiet=True, device="cpu", precision="fp32", **options
        )
        return run.embed(nodes, batch=len(nodes))
