"""HypeBoy: filling hyperedges, after a warm-up, teaches more than contrast, features or an untrained network."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Claim, Found, Measures
from tacit.data import known
from tacit.data.generated import groups
from tacit.data.networks.hypergraph import HypergraphNodes, joined
from tacit.evaluation.labelled.few_nodes import few_nodes, hyperedges
from tacit.method import Method
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.masked.hypeboy import HypeBoy
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.views.kinds import Plain

SHARED = {"epochs": 60, "batch": 1434, "lr": 1e-3, "schedule": "constant", "optimizer": "adamw", "warmup": 0}


@dataclass(frozen=True)
class Trained:
    """Pretrained on all nodes, for classes, and again without the hyperedges that are held back, for these; in per cent.

    What is embedded is "this encoder", or one of those that it is measured against, which an epoch is enough for.
    """

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        found = groups(320) if quick else known("hyper-cocitation-cora")
        assert isinstance(found, HypergraphNodes)
        nodes = joined(found)
        graph = nodes.hypergraph
        kept = np.flatnonzero((graph.sizes > 1) & ~graph.repeats)
        order = kept[counter.permutation(counter.key("held back", seed), len(kept))]
        parts = dict(zip(("train", "val", "test"), np.split(order, (np.array([0.6, 0.8]) * len(order)).astype(int))))
        held = {name: graph.among(part) for name, part in parts.items()}
        z = self.embedded(nodes, seed, quick)
        labels = torch.from_numpy(nodes.labels)
        of_given = self.embedded(nodes.given(held["train"]), seed, quick)
        told = {name: (part.members, part.edges) for name, part in held.items()}
        return {
            "few_nodes": 100 * few_nodes(z, labels, 0.05 if quick else 0.01, seed=seed).value,
            "hyperedge_auroc": 100 * hyperedges(of_given, told, seed).value,
        }

    def embedded(self, nodes: HypergraphNodes, seed: int, quick: bool) -> Tensor:
        idle = {"epochs": 1} if quick or self.which != "this encoder" else {}
        options = {**SHARED, **self.options, **({"batch": len(nodes)} if quick else {}), **idle}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(nodes, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            (z,) = features(run, nodes, representations(run)[self.which], Plain(), 0, batch=len(nodes))
        return z


def rule(found: Found) -> dict[str, bool]:
    ours = "HypeBoy"
    return {
        "HypeBoy is above SimCLR on classes": found.above(ours, "SimCLR"),
        "above the untrained encoder": found.above(ours, "untrained encoder"),
        "above raw features": found.above(ours, "raw features"),
        "and above itself without the warm-up": found.above(ours, "HypeBoy without warm-up"),
        "its AUROC of held-back hyperedges is above SimCLR's": found.above(ours, "SimCLR", "hyperedge_auroc"),
        "and above the untrained encoder's": found.above(ours, "untrained encoder", "hyperedge_auroc"),
    }


CLAIM = Claim(
    says="HypeBoy is above 16 others on 11 hypergraphs, on classes of nodes from 1 % of the labels and on hyperedges that were "
    "held back; the warm-up by feature reconstruction is needed for it.",
    here="The 1 434 nodes of hyper-cocitation-cora that are in a hyperedge, as in the paper's Cora; UniGCNII of 128; 60 epochs "
    "of each stage in place of 300 and 200, and of SimCLR with hyperedges, members and entries dropped, which stands for "
    "TriCL. A linear layer on the frozen encoder, 1 % of the nodes to learn, 1 % to choose, 20 draws; AUROC of a fifth of the "
    "distinct hyperedges, three fifths being given, against random sets of equal sizes. The linear layer was changed after "
    "two figures of the baselines had been seen.",
    arms={
        "raw features": Trained(SimCLR, which="raw input"),
        "untrained encoder": Trained(SimCLR, which="untrained encoder"),
        "SimCLR": Trained(SimCLR),
        "HypeBoy without warm-up": Trained(HypeBoy, {"warm_up": 0}),
        "HypeBoy": Trained(HypeBoy),
    },
    metric="few_nodes",
    rule=rule,
    seeds=3,
    kinds=("hypergraph",),
    why="On classes it is 1.0 points above SimCLR (± 3.0), and its AUROC of hyperedges is 1.4 below SimCLR's (± 1.5) and "
    "0.9 above the untrained encoder's (± 1.7). Likely 60 steps of each stage are too few, for 300 and 200 in the paper: "
    "alone, 60 of filling leave the encoder where it began (26.0, untrained 26.6). No longer run was tried.",
)
