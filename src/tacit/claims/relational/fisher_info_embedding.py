"""Fisher information embedding: a closed form of neighbourhoods beside features, averaged features and walks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from tacit.claims.claim import Claim, Found, Measures, interval
from tacit.claims.node_labels import opened
from tacit.claims.nodes import embedded
from tacit.data.networks.graph import GraphNodes
from tacit.evaluation.labelled.logistic import one_vs_rest, scores
from tacit.method import Method
from tacit.methods.cooccurrence.deepwalk import DeepWalk
from tacit.methods.relational.fisher_info_embedding import FisherInfoEmbedding
from tacit.numerics.exact import unit
from tacit.parts.graph_learner import Edges

TRAIN, VAL, TEST = 1, 2, 3  # in a declared split
GAT = 83.0  # per cent on this split (Veličković et al. 2018, arXiv:1710.10903, table 2)


@dataclass(frozen=True)
class Embedded:
    """Pretrained on all nodes: accuracy in per cent on the public split."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    short: Mapping[str, Any] = field(default_factory=dict)  # in place of some of them, when quick

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        return on_public_split(embedded(self.method, nodes, seed, {**self.options, **(self.short if quick else {})}), nodes)


@dataclass(frozen=True)
class Averaged:
    """Features after so many steps to the neighbours, by D^-1/2 (A + I) D^-1/2 (SGC, Wu et al. 2019, arXiv:1902.07153)."""

    steps: int

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        graph = nodes.graph
        ends = torch.from_numpy(np.stack([graph.sources, graph.indices]).astype(np.int64))
        x = normalize(torch.from_numpy(np.asarray(graph.described, np.float32)), p=1)
        return on_public_split(Edges.of(ends, torch.ones(graph.edges), len(graph)).heard(x, self.steps), nodes)


def on_public_split(vectors: Tensor, nodes: GraphNodes) -> Measures:
    """One-vs-rest logistic regression on rows of length one, its cost chosen on the validation part: accuracy in per cent."""
    assert nodes.labels is not None
    marks, labels = nodes.protocols["fixed"][0], torch.from_numpy(nodes.labels)
    train, val, test = (torch.from_numpy(np.flatnonzero(marks == mark)) for mark in (TRAIN, VAL, TEST))
    x = unit(vectors).double()
    classes = labels[train].unique()
    heads = one_vs_rest(x[train], labels[train][:, None] == classes)
    chosen = val if len(val) else train  # generated nodes have none
    right = (classes[scores(heads, x[chosen]).argmax(2)] == labels[chosen]).double().mean(1)
    found = classes[scores(heads[int(right.argmax())], x[test]).argmax(1)] == labels[test]
    return {"accuracy": 100 * float(found.double().mean())}


def rule(found: Found) -> dict[str, bool]:
    ours = "FIE"
    above = {f"it is above {other}": found.above(ours, other) for other in ("features", "averaged features", "DeepWalk")}
    return above | {"and above what is published of GAT (83.0)": interval(found.values(ours) - GAT).low > 0}


CLAIM = Claim(
    says="Embeddings on the manifold of Gaussian mixtures are above attention networks (GAT), without labels too.",
    here="Cora, the paper's own set, and its public split of 140 nodes to learn from and 500 to choose the cost by; without "
    "labels only, with the authors' command for Cora (4 layers, 512 points, 8 components), against features, features averaged "
    "twice (SGC), and DeepWalk with its command line's defaults and 128 dimensions. GAT is not trained here; "
    "its published accuracy became part of the rule after the first run, which had not held without it.",
    arms={
        "features": Averaged(0),
        "averaged features": Averaged(2),
        "DeepWalk": Embedded(DeepWalk, {"encoder": "node_table", "width": 128}, {"walks": 1}),
        "FIE": Embedded(
            FisherInfoEmbedding,
            {"layers": 4, "hops": 4, "kernel_width": 512, "mixtures": 8},
            {"layers": 2, "hops": 2, "kernel_width": 32},
        ),
    },
    metric="accuracy",
    rule=rule,
    seeds=3,
    kinds=("graph",),
    why="It is 1.7 points above averaged features (± 2.4) and 0.9 below GAT's published 83.0 (± 2.4). Likely three seeds "
    "are too few for the first, since k-means begins elsewhere in each (81.0 to 82.9); what the paper trains with labels is "
    "left out. The closed form has no steps of which there could be more.",
)
