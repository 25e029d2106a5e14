"""Arms of claims on graphs whose nodes have several labels: F1 by DeepWalk's protocol."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.data import known
from tacit.data.networks.generated import communities
from tacit.data.networks.graph import GraphNodes
from tacit.evaluation.labelled.node_labels import label_f1
from tacit.method import Method
from tacit.pretraining import pretrain

SPLITS = 5


@dataclass(frozen=True)
class Walked:
    """A method's vectors of all nodes, or the columns of them from `first` to `last`; judged with shares of nodes labelled.

    Measured are micro- and macro-F1 in per cent by share ("micro 10 %"), and the seconds of the whole pretraining.
    """

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    shares: tuple[float, ...] = (0.1, 0.5, 0.9)
    set: str = "ppi-node2vec"
    columns: tuple[int, int] = (0, 1 << 30)

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = opened(self.set, quick)
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(nodes, self.method, out=Path(folder) / "run", seed=seed, quiet=True, device="cpu", **self.options)
            taken = time.perf_counter() - begun
            vectors = run.embed(nodes)
        return judged(vectors[:, slice(*self.columns)], nodes, self.shares, seed) | {"seconds": taken}


@dataclass(frozen=True)
class Spectral:
    """The baseline: eigenvectors of the normalised adjacency that are smoothest along edges, without the trivial one.

    Columns are of mean square 1, since a classifier of fixed cost would hardly use them at length one.
    """

    dim: int = 128
    shares: tuple[float, ...] = (0.1, 0.5, 0.9)
    set: str = "ppi-node2vec"

    def measure(self, seed: int, quick: bool) -> Measures:
        from scipy.sparse import csr_array
        from scipy.sparse.linalg import eigsh

        nodes = opened(self.set, quick)
        graph = nodes.graph.undirected
        scale = 1 / np.sqrt(np.maximum(graph.degrees, 1))
        values = scale[graph.sources] * scale[graph.indices]
        edges = csr_array((values, graph.indices, graph.indptr), shape=(len(graph), len(graph)))
        dim = min(self.dim, len(graph) // 2)
        start = np.random.default_rng(seed).normal(size=len(graph))
        _, vectors = eigsh(edges, dim + 1, which="LA", v0=start)
        return judged(torch.from_numpy(vectors[:, -2::-1] * len(graph) ** 0.5), nodes, self.shares, seed) | {"seconds": np.nan}


def opened(name: str, quick: bool) -> GraphNodes:
    """The known set, or a small generated one."""
    found = communities(300) if quick else known(name)
    assert isinstance(found, GraphNodes)
    return found


def judged(vectors: Tensor, nodes: GraphNodes, shares: tuple[float, ...], seed: int) -> Measures:
    """F1 in per cent, over as many splits as all arms have, the same ones under a seed."""
    labels = nodes.multilabel
    if labels is None:
        assert nodes.labels is not None  # or nothing could be judged
        labels = nodes.labels[:, None] == np.unique(nodes.labels)
    found = label_f1(vectors, torch.from_numpy(labels), shares, SPLITS, seed)
    return {
        f"{kind} {100 * share:.0f} %": 100 * getattr(f1, kind) for share, f1 in found.items() for kind in ("micro", "macro")
    }
