"""SCGC: clusters of a graph's nodes by a perceptron that is taught by neighbourhoods."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.node_clusters import compared, found_by_kmeans
from tacit.claims.node_labels import opened
from tacit.claims.nodes import QUICK, embedded
from tacit.data.networks.graph import GraphNodes
from tacit.methods.clustering.scgc import SCGC, Autoencoder
from tacit.methods.likelihood.vgae import VGAE
from tacit.pretraining import pretrain
from tacit.run import Run

SHARED: dict[str, Any] = {"quiet": True, "device": "cpu", "precision": "fp32", "epochs": 200}
WIDTHS = {"widths": [128, 128, 512], "width": 10}


@lru_cache(maxsize=1)
def autoencoder(seed: int, quick: bool) -> tuple[tempfile.TemporaryDirectory, Run]:
    """The one from which all arms of a seed go on, in a folder that stays as long as it does."""
    folder = tempfile.TemporaryDirectory()
    options = {**SHARED, **WIDTHS, **(QUICK if quick else {})}
    return folder, pretrain(opened("cora", quick), Autoencoder, out=Path(folder.name) / "run", seed=seed, **options)


@dataclass(frozen=True)
class Clustered:
    """Clusters of the last epoch, as the method itself assigns them."""

    options: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        options = {**SHARED, "warm_up": 0, "clusters": len(nodes.classes), **self.options, **(QUICK if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            begun = autoencoder(seed, quick)[1]
            run = pretrain(nodes, SCGC, out=Path(folder) / "run", init=begun, seed=seed, **options)
            assert isinstance(run.method, SCGC)  # since it predicts, the whole of it is opened
            with torch.no_grad():
                clusters = run.method.centres(run.embed(nodes)).argmax(1)
        return compared(clusters, nodes)


@dataclass(frozen=True)
class ByKMeans:
    """k-means on what a representation says, the best of 20 starts."""

    represent: Callable[[GraphNodes, int, bool], Tensor]

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened("cora", quick)
        return compared(found_by_kmeans(self.represent(nodes, seed, quick), len(nodes.classes), seed)[0], nodes)


def features(nodes: GraphNodes, seed: int, quick: bool) -> Tensor:
    return torch.from_numpy(np.asarray(nodes.graph.described, np.float32))


def codes(nodes: GraphNodes, seed: int, quick: bool) -> Tensor:
    return autoencoder(seed, quick)[1].embed(nodes)


def codes_of_edges(nodes: GraphNodes, seed: int, quick: bool) -> Tensor:
    return embedded(VGAE, nodes, seed, {"middle": 32, "width": 32, "divergence": 0.0, **(QUICK if quick else {})})


def rule(found: Found) -> dict[str, bool]:
    said = {}
    for metric in ("nmi", "ari"):
        for other in ("AE, k-means", "without contrast", "GAE, k-means"):
            said[f"SCGC is above {other} by {metric.upper()}"] = found.above("SCGC", other, metric)
        said[f"SCGC* is above the autoencoder too, by {metric.upper()}"] = found.above("SCGC*", "AE, k-means", metric)
    return said


CLAIM = Claim(
    says="Features alone through a perceptron, taught by a contrast of neighbourhoods, cluster the nodes of graphs better than "
    "graph convolutions do (DBLP: 20 % more ARI and 18 % more NMI than the best before it), and SCGC* with half the "
    "parameters is no worse.",
    here="Cora in place of DBLP, with the settings for DBLP: alpha 0.5 (1 in SCGC*), beta 0.1, r = 1, tau 0.25, rate 1e-3. The "
    "perceptron has 128, 128 and 512 units in place of 500, 500 and 2 000, and code of 10; 200 epochs of the autoencoder, "
    "from which all arms go on, and 200 of each. Clusters of the last epoch, where the paper takes the best by the labels. "
    "Without contrast it is DEC with a decoder; GAE, with its authors' widths, stands for clusterers by convolutions.",
    arms={
        "features, k-means": ByKMeans(features),
        "AE, k-means": ByKMeans(codes),
        "GAE, k-means": ByKMeans(codes_of_edges),
        "without contrast": Clustered({"alpha": 0.0}),
        "SCGC": Clustered(),
        "SCGC*": Clustered({"alpha": 1.0, "reconstruction": 0.0}),
    },
    metric="nmi",
    rule=rule,
    kinds=("graph",),
    why="It is 3.8 below GAE by NMI (± 17.4) and 6.4 below by ARI (± 12.3). Likely three seeds are too few, since its NMI "
    "goes from 35 to 48, and likely Cora's classes follow its edges more than the words that the perceptron sees (k-means "
    "of features: 17), which favours convolutions; the perceptron is a quarter as wide, and the paper takes the best epoch "
    "by the labels. No longer run was tried.",
)
