"""Collections of graphs: each sample is a whole graph, and all lie side by side in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.data.labels import numbered
from tacit.data.networks.files import archived, load
from tacit.data.networks.graph import Graph
from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError


@dataclass(frozen=True, eq=False, repr=False)
class Union:
    """G graphs without edges between them: graph i has the nodes starts[i]:starts[i + 1] of the whole."""

    whole: Graph
    starts: np.ndarray  # int64, G + 1


class SomeGraphs(NamedTuple):
    """Some graphs of a collection that all batches share: it is neither copied nor moved with them."""

    index: Tensor  # type: ignore[assignment]  # int64, n: their numbers
    union: Union


@dataclass(eq=False, repr=False)
class GraphCollection(Samples):
    """Whole graphs."""

    source: str
    union: Union
    rows: np.ndarray  # int64: the graph of each sample
    ids: Sequence[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    folds: np.ndarray | None = None  # bool, k × G: the graphs that each fold tests on, where the source says so
    notes: Mapping[str, str] = field(default_factory=dict)
    kind = "graphs"

    def read(self, index: np.ndarray) -> tuple[SomeGraphs, dict[int, str]]:
        return SomeGraphs(torch.from_numpy(self.rows[index]), self.union), {}

    def take(self, index: np.ndarray) -> "GraphCollection":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def facts(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": [self.union.whole.described.shape[1]], "directed": self.union.whole.directed}

    def statistics(self) -> dict[str, Any]:
        """Mean and deviation of each feature over all nodes, where some are negative; else they are taken as they are."""
        x = self.union.whole.described
        if not np.isfinite(x).all():
            raise TacitError(f"{self.source} has features that are NaN or infinite; remove or fill them in.")
        if x.min() >= 0:
            return {"signed": False}
        return {"signed": True, "mean": x.mean(0, dtype=np.float64).tolist(), "std": x.std(0, dtype=np.float64).tolist()}


def is_collection(path: Path, told: bool = False) -> bool:
    """Whether a file, whatever the user says, holds several graphs: an .npz with edges and the graph of each node."""
    return path.suffix.lower() == ".npz" and {"edge_index", "batch"} <= archived(path)


def open_collection(path: Path, source: str) -> GraphCollection:
    """An .npz with `edge_index` (2 × E, over all graphs side by side) and `batch` (the graph of each node, ascending).

    As far as they are there: `x`, or `node_tag` (whole numbers, one-hot), `y` per graph, `fold_test_mask` (k × G).
    """
    return from_arrays(load(path, source), source)


def from_arrays(arrays: Mapping[str, np.ndarray], source: str) -> GraphCollection:
    """The same from arrays by name."""
    batch, ends = arrays["batch"].reshape(-1), arrays["edge_index"]
    if not len(batch) or (np.diff(batch) < 0).any() or batch[0] < 0:
        raise TacitError(
            f"batch of {source} does not ascend from 0; give the graph of each node, one graph's nodes after another's."
        )
    if ends.ndim != 2 or ends.shape[0] != 2 or ends.dtype.kind not in "iu":
        raise TacitError(f"edge_index of {source} is {ends.dtype} of shape {ends.shape}; give whole numbers, 2 × E.")
    y, count = arrays.get("y"), int(batch[-1]) + 1
    if y is not None:
        if len(y) < count:
            raise TacitError(f"{source} has {count} graphs and y of {len(y)}; give one label per graph.")
        count = len(y)  # the last may be without nodes
    sizes = np.bincount(batch, minlength=count)
    if not sizes.all():
        raise TacitError(
            f"{int((sizes == 0).sum())} graphs of {source} have no nodes, the first is {sizes.argmin()}; take them out."
        )
    x, tags = arrays.get("x"), arrays.get("node_tag")
    if x is None and tags is not None and len(np.unique(tags)) > 1:
        x = (tags.reshape(-1)[:, None] == np.unique(tags)).astype(np.uint8)
    whole = Graph.of(ends[0], ends[1], len(batch), arrays.get("edge_weight"), x, source)
    astray = int((batch[whole.sources] != batch[whole.indices]).sum())
    if astray:
        raise TacitError(f"{astray} edges of {source} lead from one graph to another; take them out, or leave batch out.")
    labels, classes = (None, ()) if y is None else numbered(y.reshape(-1), source)
    folds = arrays.get("fold_test_mask")
    if folds is not None and folds.shape[1] != count:
        raise TacitError(f"fold_test_mask of {source} is of {folds.shape[1]} graphs and there are {count}; give one per graph.")
    ids = [f"{i:05d}" for i in range(count)]
    union = Union(whole, np.concatenate([[0], np.cumsum(sizes)]))
    return GraphCollection(
        source, union, np.arange(count), ids, labels, classes, folds=None if folds is None else folds.astype(bool)
    )


def from_list(graphs: Sequence[Any]) -> GraphCollection:
    """Several `torch_geometric.data.Data`, or what has `edge_index`, `num_nodes`, and perhaps `x` and `y`."""
    sizes = [int(one.num_nodes) for one in graphs]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    arrays = {
        "edge_index": np.concatenate([one.edge_index.cpu().numpy() + at for one, at in zip(graphs, starts)], 1),
        "batch": np.repeat(np.arange(len(graphs)), sizes),
    }
    if all(getattr(one, "x", None) is not None for one in graphs):
        arrays["x"] = np.concatenate([one.x.cpu().numpy() for one in graphs])
    if all(getattr(one, "y", None) is not None and one.y.numel() == 1 for one in graphs):
        arrays["y"] = np.array([int(one.y) for one in graphs])
    return from_arrays(arrays, "the graphs")
