"""Hypergraphs: which nodes each hyperedge holds, and the nodes of one hypergraph as samples."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import torch
from torch import Tensor

from tacit.data.labels import numbered, told_apart
from tacit.data.memory import free_memory
from tacit.data.samples import Samples
from tacit.data.selecting import selected
from tacit.errors import TacitError
from tacit.numerics import counter

MASKS = ("other", "train", "val", "test")  # by number, what a node is in a protocol's split
MOST_DEGREES = 16  # columns that stand for the degree where nodes have no features
TEXTS = {".csv": ",", ".tsv": "\t"}
NODES, HYPEREDGES = ("node", "node_id", "member"), ("hyperedge", "hyperedge_id", "edge", "group")
LABELS, SPLITS = ("label", "y", "class"), ("split", "subset")


@dataclass(frozen=True, eq=False, repr=False)
class Hypergraph:
    """A hypergraph of N nodes 0…N−1 and M hyperedges as P incidences, as they were given, in the order of the hyperedges.

    members   int64, P: the node of each incidence
    edges     int64, P: its hyperedge 0…M−1, ascending
    n, m      nodes and hyperedges
    features  N × F real numbers of any type, or None

    What is unusual stays; `trouble` counts it.
    """

    members: np.ndarray
    edges: np.ndarray
    n: int
    m: int
    features: np.ndarray | None = None

    @classmethod
    def of(
        cls, members: np.ndarray, edges: np.ndarray, n: int, features: np.ndarray | None = None, source: str = "the hypergraph"
    ) -> "Hypergraph":
        """From incidences in any order. Raises TacitError where one names a node or a hyperedge that cannot be."""
        if not len(members):
            raise TacitError(f"{source} holds no incidence; give at least one hyperedge with its nodes.")
        if features is not None and len(features) != n:
            raise TacitError(f"{source} has {n} nodes and features of {len(features)}; give one row per node.")
        outside = (members < 0) | (members >= n) | (edges < 0)
        if outside.any():
            at = int(outside.argmax())
            raise TacitError(
                f"{int(outside.sum())} incidences of {source} name a node or hyperedge that is not there, the first of them "
                f"node {members[at]} in hyperedge {edges[at]}, and nodes are 0 to {n - 1}; remove them or add the nodes."
            )
        order = np.argsort(edges, kind="stable")
        m = int(edges.max()) + 1
        return cls(members[order].astype(np.int64), edges[order].astype(np.int64), n, m, features)

    def __len__(self) -> int:
        """Nodes."""
        return self.n

    @cached_property
    def sizes(self) -> np.ndarray:
        """Nodes of each hyperedge: int64, M."""
        return np.bincount(self.edges, minlength=self.m)

    @cached_property
    def degrees(self) -> np.ndarray:
        """Hyperedges of each node: int64, N."""
        return np.bincount(self.members, minlength=self.n)

    @cached_property
    def trouble(self) -> Mapping[str, int]:
        """What is unusual, by name, and how many: everything stays as it was given."""
        order = np.lexsort((self.members, self.edges))
        members, edges = self.members[order], self.edges[order]
        found = {
            "hyperedges of one node": int((self.sizes == 1).sum()),
            "empty hyperedges": int((self.sizes == 0).sum()),
            "duplicate hyperedges": int(self.repeats.sum()),
            "repeated incidences": int(((np.diff(members) == 0) & (np.diff(edges) == 0)).sum()),
            "nodes in no hyperedge": int((self.degrees == 0).sum()),
        }
        return {name: count for name, count in found.items() if count}

    @cached_property
    def repeats(self) -> np.ndarray:
        """Which hyperedges hold the same nodes as one before them: bool, M. Told by sums of a random 64-bit number per node."""
        thirds = (counter.uniform(counter.key("hyperedges"), np.arange(self.n), 3) * 2.0**24).astype(np.uint64)
        marks = (thirds[:, 0] << np.uint64(40)) ^ (thirds[:, 1] << np.uint64(20)) ^ thirds[:, 2]
        starts = np.flatnonzero(np.diff(self.edges, prepend=-1))
        _, first = np.unique(np.add.reduceat(marks[self.members], starts), return_index=True)
        found = np.zeros(self.m, bool)
        found[np.delete(self.edges[starts], first)] = True
        return found

    def among(self, edges: np.ndarray) -> "Hypergraph":
        """The same nodes with these hyperedges alone, which keep their numbers."""
        stays = np.isin(self.edges, edges)
        return replace(self, members=self.members[stays], edges=self.edges[stays])

    @cached_property
    def described(self) -> np.ndarray:
        """The features, or where there are none the degree, one-hot in powers of two: N × F."""
        if self.features is not None:
            return self.features
        width = np.minimum(np.log2(self.degrees + 1).astype(np.int64), MOST_DEGREES - 1)
        return np.eye(MOST_DEGREES, dtype=np.uint8)[width]

    @cached_property
    def held(self) -> dict[tuple[str, torch.device], Tensor]:
        """Tensors of it on devices, by name: made once, and there for the next batch."""
        return {}

    def on(self, device: torch.device, name: str) -> Tensor:
        """One of its arrays as a tensor on a device."""
        if (name, device) not in self.held:
            self.held[name, device] = torch.from_numpy(np.ascontiguousarray(getattr(self, name))).to(device)
        return self.held[name, device]


class Members(NamedTuple):
    """Some nodes of a hypergraph that all batches share: it is neither copied nor moved with them."""

    rows: Tensor  # int64, n: the nodes' numbers
    hypergraph: Hypergraph


@dataclass(eq=False, repr=False)
class HypergraphNodes(Samples):
    """The nodes of one hypergraph. Part of them is still in the whole of it: what is taken are the rows that are asked for.

    `splits` is the first of the protocols' splits. Training sees all nodes, whatever the splits say, since what is held back
    from it are labels (the transductive protocol of the field).
    """

    source: str
    hypergraph: Hypergraph
    rows: np.ndarray  # int64: the node of each sample
    ids: Sequence[str]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    protocols: Mapping[str, np.ndarray] = field(default_factory=dict)  # name -> k × N, by node: k splits, numbers of MASKS
    kind = "hypergraph"
    transductive = True

    def read(self, index: np.ndarray) -> tuple[Members, dict[int, str]]:
        return Members(torch.from_numpy(self.rows[index]), self.hypergraph), {}

    def take(self, index: np.ndarray) -> "HypergraphNodes":
        return replace(self, rows=self.rows[index], **selected(self, index))

    def given(self, hypergraph: Hypergraph) -> "HypergraphNodes":
        """The same samples in another hypergraph of the same nodes."""
        return replace(self, hypergraph=hypergraph)

    def facts(self) -> dict[str, Any]:
        graph = self.hypergraph
        return {"kind": self.kind, "shape": [graph.described.shape[1]], "nodes": graph.n, "hyperedges": graph.m}

    def statistics(self) -> dict[str, Any]:
        """By what features are scaled: mean and deviation of each column where any is negative, else `divisor`, the root of the
        mean square of what is not 0, so that zeros and ones stay as they are."""
        x = np.asarray(self.hypergraph.described, np.float64)
        broken = ~np.isfinite(x).all(1)
        if broken.any():
            node = int(broken.argmax())
            raise TacitError(f"Node {node} of {self.source} has a feature that is NaN or infinite; remove it or fill it in.")
        if x.min(initial=0) < 0:
            return {"mean": x.mean(0).tolist(), "std": x.std(0).tolist(), "divisor": 1.0}
        filled = int((x != 0).sum())
        return {"mean": [], "std": [], "divisor": float(np.sqrt(np.square(x).sum() / filled)) if filled else 1.0}


def joined(samples: HypergraphNodes) -> HypergraphNodes:
    """Only the nodes that are in a hyperedge, in a hypergraph without the others; nothing is left of splits."""
    graph = samples.hypergraph
    stays = np.flatnonzero(graph.degrees > 0)
    features = None if graph.features is None else graph.features[stays]
    smaller = Hypergraph(np.searchsorted(stays, graph.members), graph.edges, len(stays), graph.m, features)
    chosen = samples.take(np.flatnonzero(graph.degrees[samples.rows] > 0))
    return replace(chosen, hypergraph=smaller, rows=np.searchsorted(stays, chosen.rows), splits=None, protocols={})


def is_hypergraph(path: Path, told: bool = False) -> bool:
    """Whether a file or folder holds one, whatever the user says: an archive with `incidence`, a list whose header names node
    and hyperedge, or such a list called hyperedges in a folder."""
    if path.is_dir():
        return _beside(path, "hyperedges") is not None
    if path.suffix.lower() == ".npz":
        try:
            with zipfile.ZipFile(path) as archive:
                return "incidence.npy" in archive.namelist()
        except (OSError, zipfile.BadZipFile):
            return False  # which its reader will say
    return path.suffix.lower() in TEXTS and _columns(path) is not None


def open_hypergraph(path: Path, source: str) -> HypergraphNodes:
    """The nodes of the hypergraph in a file or folder for which `is_hypergraph` holds."""
    if path.is_dir():
        edges = _beside(path, "hyperedges")
        assert edges is not None  # or it were no hypergraph
        return from_lists(edges, _beside(path, "nodes"), source)
    if path.suffix.lower() in TEXTS:
        return from_lists(path, None, source)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > free_memory():
            raise TacitError(f"{source} unpacks to {size / 2**30:.1f} GiB, more than is free; give a smaller hypergraph.")
        with np.load(path, allow_pickle=False) as arrays:
            return from_arrays({name: arrays[name] for name in arrays.files}, source)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise TacitError(f"{source} is no readable numpy archive ({error}); save it again with numpy.savez.") from None


def from_arrays(arrays: Mapping[str, np.ndarray], source: str) -> HypergraphNodes:
    """From `incidence` (2 × P: node and hyperedge of each) and as far as they are there `x`, `y`, and splits.

    Splits are `train_mask`, `val_mask` and `test_mask` (bool, N or k × N; an s at the end does no harm). Where none is for
    testing, what is in no other part is.
    """
    incidence, x, y = (arrays.get(name) for name in ("incidence", "x", "y"))
    if incidence is None or incidence.ndim != 2 or incidence.shape[0] != 2 or incidence.dtype.kind not in "iu":
        what = "no incidence" if incidence is None else f"an incidence of {incidence.dtype} of shape {incidence.shape}"
        raise TacitError(f"{source} holds {what}; give 2 × P whole numbers, the node and the hyperedge of each.")
    if x is not None and (x.ndim != 2 or x.dtype.kind not in "buif" or not x.shape[1]):
        raise TacitError(f"x of {source} is {x.dtype} of shape {x.shape}; give N × F numbers, or leave it out.")
    n = next((len(a) for a in (x, y) if a is not None), int(incidence[0].max(initial=-1)) + 1)
    if n < 2:
        raise TacitError(f"{source} holds a hypergraph of {n} nodes; give 2 or more.")
    if y is not None and len(y) != n:
        raise TacitError(f"{source} has features of {n} nodes and labels of {len(y)}; give one of each per node.")
    labels, classes = (None, ()) if y is None else numbered(y.reshape(-1), source)
    graph = Hypergraph.of(incidence[0].astype(np.int64), incidence[1].astype(np.int64), n, x, source)
    return nodes_of(source, graph, [f"{i:05d}" for i in range(n)], labels, classes, _split(arrays, n, source))


def nodes_of(
    source: str,
    hypergraph: Hypergraph,
    ids: Sequence[str],
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    marks: np.ndarray | None,
) -> HypergraphNodes:
    """All nodes of a hypergraph as samples; `marks` are k × N numbers of MASKS."""
    splits = None if marks is None else np.array(MASKS)[marks[0]]
    protocols = {} if marks is None else {"fixed": marks}
    return HypergraphNodes(source, hypergraph, np.arange(len(hypergraph)), ids, labels, classes, splits, protocols)


def from_lists(edges: Path, nodes: Path | None, source: str) -> HypergraphNodes:
    """A list of incidences, columns `node` and `hyperedge` of names or numbers, and a table of nodes where there is one.

    The table has a column `id` (or else the first), and `label`, `split` and numeric columns of features as far as they are
    there; its rows are the nodes. Without it the nodes are those that occur, by name.
    """
    columns = _columns(edges)
    if columns is None:
        raise TacitError(f"{edges.name} of {source} names no columns node and hyperedge in its first line; name them.")
    listed = _table(edges, source)
    members, groups = (_names(listed.column(place), edges.name, source) for place in columns)
    _, numbers = np.unique(groups, return_inverse=True)
    if nodes is None:
        ids, places = np.unique(members, return_inverse=True)
        graph = Hypergraph.of(places, numbers, len(ids), None, source)
        return nodes_of(source, graph, ids.tolist(), None, (), None)
    about = _table(nodes, source)
    named = {name.strip().lower(): place for place, name in reversed(list(enumerate(about.column_names)))}
    own = next((named[name] for name in ("id", *NODES) if name in named), 0)
    ids = _names(about.column(own), nodes.name, source)
    known, first = np.unique(ids, return_index=True)
    if len(known) < len(ids):
        raise TacitError(f"{nodes.name} of {source} lists {len(ids) - len(known)} nodes twice; give one row per node.")
    place = np.minimum(np.searchsorted(known, members), len(known) - 1)
    strange = known[place] != members
    if strange.any():
        raise TacitError(
            f"{int(strange.sum())} incidences of {edges.name} name a node that {nodes.name} does not have, the first of them "
            f"{members[strange.argmax()]}; remove them or add the nodes."
        )
    label, split = (next((named[name] for name in said if name in named), None) for said in (LABELS, SPLITS))
    wide = [column for column in range(about.num_columns) if column not in (own, label, split)]
    features = np.stack([_numbers(about, column, nodes.name, source) for column in wide], 1) if wide else None
    labels, marks = None, None
    classes: tuple[str, ...] = ()
    if label is not None:
        labels, classes = numbered(told_apart(_texts(about.column(label))), source)
    if split is not None:
        said = [text.lower() or "other" for text in _texts(about.column(split))]
        if others := set(said) - set(MASKS):
            raise TacitError(f"The split of {nodes.name} of {source} holds {min(others)!r}; write {', '.join(MASKS)}.")
        marks = np.array([[MASKS.index(text) for text in said]], np.int8)
    graph = Hypergraph.of(first[place], numbers, len(ids), features, source)
    return nodes_of(source, graph, ids.tolist(), labels, classes, marks)


def _split(arrays: Mapping[str, np.ndarray], n: int, source: str) -> np.ndarray | None:
    """The splits that an archive declares: k × N of numbers of MASKS."""
    masks = {part: arrays.get(f"{part}_mask", arrays.get(f"{part}_masks")) for part in MASKS[1:]}
    given = {part: mask.reshape(-1, mask.shape[-1]) for part, mask in masks.items() if mask is not None and mask.ndim}
    if not given:
        return None
    shapes = {mask.shape for mask in given.values()}
    if len(shapes) > 1 or min(shapes)[1] != n or any(mask.dtype.kind != "b" for mask in given.values()):
        raise TacitError(
            f"The masks of {source} have the shapes {sorted(shapes)} and there are {n} nodes; give booleans, N or k × N each."
        )
    marks = np.full(min(shapes), MASKS.index("other" if "test" in given else "test"), np.int8)
    for part, mask in given.items():
        marks[mask] = MASKS.index(part)
    return marks


def _beside(folder: Path, name: str) -> Path | None:
    return next((file for suffix in TEXTS if (file := folder / f"{name}{suffix}").is_file()), None)


def _columns(file: Path) -> tuple[int, int] | None:
    """The columns of nodes and of hyperedges, where the first line names them."""
    with file.open(encoding="utf-8-sig", errors="replace") as text:
        cells = [cell.strip().strip('"').lower() for cell in text.readline().split(TEXTS[file.suffix.lower()])]
    node, edge = (next((cells.index(name) for name in names if name in cells), None) for names in (NODES, HYPEREDGES))
    return None if node is None or edge is None else (node, edge)


def _table(file: Path, source: str) -> pa.Table:
    try:
        return pacsv.read_csv(file, parse_options=pacsv.ParseOptions(delimiter=TEXTS[file.suffix.lower()]))
    except pa.ArrowException as error:
        why = " ".join(str(error).split())
        raise TacitError(f"{file.name} of {source} is no readable table ({why}); write it again.") from None


def _names(column: pa.ChunkedArray, file: str, source: str) -> np.ndarray:
    """Names, as text: numbers as they are written without leading zeros, so that both lists agree."""
    names = np.array(_texts(column), np.str_)
    if nameless := int((names == "").sum()):
        raise TacitError(f"{nameless} rows of {file} of {source} name nothing; fill them in or remove them.")
    return names


def _texts(column: pa.ChunkedArray) -> list[str]:
    return ["" if text is None else str(text).strip() for text in column.to_pylist()]


def _numbers(table: pa.Table, place: int, file: str, source: str) -> np.ndarray:
    kind, name = table.column(place).type, table.column_names[place]
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise TacitError(f"Column {name!r} of {file} of {source} holds {kind} and no numbers; write numbers, or take it out.")
    return table.column(place).cast(pa.float32()).to_numpy()
