"""What was understood of a source, before anything is trained: `tacit inspect DATA`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tacit.data.captioned.captions import Captions
from tacit.data.clouds.samples import StoredClouds
from tacit.data.decoding import Encoded, Header, Unreadable, at_once, header
from tacit.data.images import EncodedImages, ImageArrays, Store
from tacit.data.interactions import InteractionSamples
from tacit.data.networks.collections import GraphCollection
from tacit.data.networks.graph import Graph, GraphNodes
from tacit.data.networks.hypergraph import HypergraphNodes
from tacit.data.networks.triples import TripleSamples
from tacit.data.opening import Source
from tacit.data.opening import open as open_source
from tacit.data.pairs import Pairs
from tacit.data.samples import Corrupt, Samples
from tacit.data.series.samples import SeriesSamples
from tacit.data.sounds.samples import SoundSamples
from tacit.data.tabular.files import describe
from tacit.data.tabular.leaking import tellers
from tacit.data.tabular.rows import TableRows, unseen_in_other_parts
from tacit.data.text.samples import TextSamples
from tacit.data.vectors import VectorArrays
from tacit.data.video.samples import StoredVideos
from tacit.errors import TacitError
from tacit.guidance import SUITED, UNMEASURED
from tacit.modalities import MODALITIES
from tacit.numerics import counter

HEADERS = 20_000  # files whose header is looked at: all of a set up to this size, else a sample of it
DECODED = 1000  # samples that are read in full
NOUNS = {  # what samples are, where that is not the name of their kind
    "audio": "sounds",
    "graph": "nodes of a graph",
    "graphs": "graphs",
    "hypergraph": "nodes of a hypergraph",
    "interactions": "interactions",
    "series": "time series",
    "table": "rows of a table",
    "text": "texts",
    "triples": "triples",
}
LISTED = 10  # classes and corrupt samples shown in the terminal


@dataclass(frozen=True)
class Inspection:
    """What a source holds: sizes, modes and formats of the `looked_at` samples, duplicates among the `decoded`."""

    source: str
    kind: str
    count: int
    sizes: Mapping[str, list[int]]  # "smallest", "median", "largest": height and width, or the number of columns
    channels: int  # of what is read; 0 for what has none
    modes: Mapping[str, int]  # Pillow's mode, or an array's type -> how many
    formats: Mapping[str, int]  # file format -> how many
    classes: Mapping[str, int]
    unlabelled: int
    splits: Mapping[str, int]
    bytes: int
    looked_at: int
    decoded: int
    trouble: list[Corrupt] = field(default_factory=list)
    duplicates: int = 0  # of the decoded: how many repeat another one byte by byte
    ignored: Mapping[str, int] = field(default_factory=dict)  # suffix -> files that are no images
    notes: Mapping[str, str] = field(default_factory=dict)  # which column, which bits, what was cut

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)

    @property
    def drawn(self) -> bool:
        """Whether `tacit preview` can show it."""
        return MODALITIES[self.kind].drawn

    @property
    def shown_by(self) -> str:
        """The method by which it is previewed."""
        return SUITED.get(self.kind, UNMEASURED)

    def __str__(self) -> str:
        rows = [
            ("source", self.source),
            (
                "kind",
                f"{self.count:,} {NOUNS.get(self.kind, f'{self.kind}s')}" + (f", {_bytes(self.bytes)}" if self.bytes else ""),
            ),
            *self.notes.items(),
            ("sizes", ", ".join(f"{name} {' × '.join(map(str, size))}" for name, size in self.sizes.items())),
            ("channels", str(self.channels) if self.channels else ""),
            ("modes", _counts(self.modes)),
            ("formats", _counts(self.formats)),
            ("classes", f"{len(self.classes)}: {_counts(self.classes)}" if self.classes else "none"),
            ("unlabelled", f"{self.unlabelled:,}" if self.classes and self.unlabelled else ""),
            ("splits", _counts(self.splits) or "none declared: by hash of the id"),
            ("looked at", f"{self.looked_at:,}, {self.decoded:,} of them in full"),
            ("duplicates", f"{self.duplicates:,} of the {self.decoded:,} read in full" if self.duplicates else ""),
            ("ignored", _counts(self.ignored)),
            ("trouble", f"{len(self.trouble):,} cannot be read" if self.trouble else "none found"),
            *(("", f"{one.id}: {one.why}") for one in self.trouble[:LISTED]),
            ("", f"… and {len(self.trouble) - LISTED:,} more" if len(self.trouble) > LISTED else ""),
        ]
        return "\n".join(f"{name:<12}{value}" for name, value in rows if value)


class _Look(NamedTuple):
    """What looking at the content of one kind of samples gives."""

    sizes: np.ndarray  # n × 2 (height and width) or n × 1 (columns)
    modes: Mapping[str, int]
    formats: Mapping[str, int]
    bytes: int
    looked_at: int
    decoded: int
    trouble: dict[int, str]
    duplicates: int
    ignored: Mapping[str, int]
    notes: Mapping[str, str]


def inspect(source: Source, kind: str | None = None, schema: str | Path | None = None) -> Inspection:
    """Open a source and look at it: every header (of 20,000 files at most) and 1000 samples in full, drawn by counter.

    Nothing is changed and nothing refused but what cannot be opened at all. What was inferred of a table goes to `schema`, a
    .yaml that may be changed and opened in its place.
    """
    samples = open_source(source, kind)
    if schema is not None:
        if not isinstance(samples, TableRows):
            raise TacitError(f"{samples.source} holds {samples.kind}s and a schema is of a table; leave --schema out.")
        describe(samples.place, samples.said, Path(schema))
    look = _look(samples)
    labels = np.full(len(samples), -1) if samples.labels is None else samples.labels
    numbers = np.bincount(labels[labels >= 0], minlength=len(samples.classes)).tolist()
    facts = samples.facts()
    return Inspection(
        source=samples.source,
        kind=samples.kind,
        count=len(samples),
        sizes=_sizes(look.sizes) if len(look.sizes) else {},
        channels=facts.get("channels", 0),
        modes=look.modes,
        formats=look.formats,
        classes=dict(zip(samples.classes, numbers)),
        unlabelled=int((labels < 0).sum()),
        splits={} if samples.splits is None else {str(k): v for k, v in Counter(samples.splits.tolist()).items()},
        bytes=look.bytes,
        looked_at=look.looked_at,
        decoded=look.decoded,
        trouble=[Corrupt(samples.ids[position], why) for position, why in sorted(look.trouble.items())],
        duplicates=look.duplicates,
        ignored=look.ignored,
        notes=look.notes,
    )


def _look(samples: Samples) -> _Look:
    drawn = counter.permutation(counter.key("inspect"), len(samples))
    if isinstance(samples, EncodedImages):
        return _look_at_encoded(samples, drawn)
    if isinstance(samples, StoredClouds | StoredVideos | SeriesSamples | SoundSamples | TextSamples | Captions):
        return _Look(**samples.look(drawn, DECODED))
    if isinstance(samples, Pairs):
        first, second = (_look(part) for part in (samples.first, samples.second))
        return first._replace(
            modes=dict(Counter(first.modes) + Counter(second.modes)),
            formats=dict(Counter(first.formats) + Counter(second.formats)),
            bytes=first.bytes + second.bytes,
            trouble=second.trouble | first.trouble,
            ignored={**first.ignored, **samples.ignored},
            notes={**first.notes, **second.notes, **samples.notes},
        )
    if isinstance(samples, GraphNodes):
        return _look_at_graph(samples, samples.graph)
    if isinstance(samples, GraphCollection):
        return _look_at_graph(samples, samples.union.whole)
    if isinstance(samples, HypergraphNodes):
        return _look_at_hypergraph(samples)
    if isinstance(samples, TripleSamples):
        return _look_at_triples(samples)
    if isinstance(samples, InteractionSamples):
        return _Look(np.empty((0, 1)), {}, {}, samples.log.bytes, len(samples), len(samples), {}, 0, {}, samples.notes)
    if isinstance(samples, TableRows):
        return _look_at_rows(samples, np.sort(drawn[:DECODED]))
    if not isinstance(samples, ImageArrays | VectorArrays):
        raise TypeError(f"{type(samples).__name__} is not a source but made from one; inspect what it was made from")
    array = samples.pixels if isinstance(samples, ImageArrays) else samples.values
    chosen = np.sort(drawn[:DECODED])
    rows = array[samples.rows[chosen]]
    trouble = {}
    if isinstance(samples, VectorArrays):
        broken = ~np.isfinite(rows).all(1)
        trouble = dict.fromkeys(chosen[broken].tolist(), "it holds NaN or infinity")
    shape = array.shape[1:3] if isinstance(samples, ImageArrays) else array.shape[1:]
    size = array.dtype.itemsize * int(np.prod(array.shape[1:])) * len(samples)
    modes = {str(array.dtype): len(samples)}
    repeated = _repeated(row.tobytes() for row in rows)
    notes = _depth(samples.bits) if isinstance(samples, ImageArrays) and array.dtype == np.uint16 else {}
    return _Look(np.array([shape]), modes, {}, size, len(samples), len(chosen), trouble, repeated, {}, notes)


def _look_at_triples(samples: TripleSamples) -> _Look:
    """All of them: they are in memory."""
    count, train = len(samples), samples.triples if samples.splits is None else samples.triples[samples.splits == "train"]
    strange = ~np.isin(samples.triples[:, [0, 2]], train[:, [0, 2]]).all(1) | ~np.isin(samples.triples[:, 1], train[:, 1])
    common = np.bincount(samples.triples[:, 1]).argsort()[::-1][:LISTED]
    shown = ", ".join(samples.relations[r] for r in common)
    notes = {
        "entities": f"{len(samples.entities):,}",
        "relations": f"{len(samples.relations):,}: {shown}{', …' if len(samples.relations) > LISTED else ''}",
        **samples.notes,
    }
    if strange.any():
        first = samples.ids[int(strange.argmax())]
        notes["unknown"] = f"{strange.sum():,} triples name what no training triple does, and cannot be ranked (first: {first})"
    repeated = count - len(np.unique(samples.triples, axis=0))
    return _Look(np.empty((0, 1)), {}, {}, samples.triples.nbytes, count, count, {}, repeated, {}, notes)


def _look_at_encoded(samples: EncodedImages, drawn: np.ndarray) -> _Look:
    """Headers of many images, pixels of some."""
    chosen = np.sort(drawn[:HEADERS])
    names = [samples.ids[i] for i in chosen]
    headers = at_once(lambda row: _header(samples.store, row), samples.rows[chosen].tolist(), names)
    trouble = {int(i): str(one) for i, one in zip(chosen, headers) if isinstance(one, Unreadable)}
    good = [one for one in headers if isinstance(one, Header)]
    some = np.sort(drawn[:DECODED])
    for index in np.array_split(some, -(-len(some) // 100)):
        trouble |= samples.read(index)[1]
    sizes = np.array([(one.height, one.width) for one in good]).reshape(-1, 2)
    modes, formats = (dict(Counter(said)) for said in ([one.mode for one in good], [one.format for one in good if one.format]))
    weight = samples.store.weight(samples.rows.tolist())
    read = (samples.store.content(int(samples.rows[i])) for i in some.tolist() if i not in trouble)
    repeated = _repeated(_plain(content) for content in read)
    deep = any(mode.startswith("I") for mode in modes)
    notes = dict(samples.notes) | (_depth(samples.bits, len(samples.clipped)) if deep else {})
    return _Look(sizes, modes, formats, weight, len(chosen), len(some), trouble, repeated, samples.ignored, notes)


def _look_at_graph(samples: GraphNodes | GraphCollection, graph: Graph) -> _Look:
    """Everything: what is unusual of a graph is counted, and nothing of it is changed."""
    x = graph.features
    most, middle = int(graph.degrees.max()), int(np.median(graph.degrees))
    notes = dict(samples.notes) | {
        "edges": f"{graph.edges:,} entries, {'directed' if graph.directed else 'each in both directions'}"
        + ("" if graph.weights is None else ", weighted"),
        "degrees": f"median {middle:,}, largest {most:,}",
        "unusual": f"{_counts(graph.trouble)} (kept as they are)" if graph.trouble else "",
        "features": "none: the degree stands for them" if x is None else f"{x.shape[1]:,} columns of {x.dtype}",
    }
    if isinstance(samples, GraphCollection):
        notes["nodes"] = (
            f"{len(graph):,}, of a graph {np.diff(samples.union.starts).min():,} to {np.diff(samples.union.starts).max():,}"
        )
        notes["folds"] = (
            "" if samples.folds is None else f"{len(samples.folds)}, {int((~samples.folds.any(0)).sum())} graphs in none"
        )
    else:
        notes["labels"] = (
            "" if samples.multilabel is None else f"{samples.multilabel.shape[1]}, of which a node may have several"
        )
        notes["protocols"] = ", ".join(f"{name} × {len(marks)}" for name, marks in samples.protocols.items())
    arrays = [a for a in (graph.indptr, graph.indices, graph.weights, x) if a is not None]
    modes = {} if x is None else {str(x.dtype): len(samples)}
    bytes_ = sum(a.nbytes for a in arrays)
    return _Look(np.array([graph.described.shape[1:]]), modes, {}, bytes_, len(samples), len(samples), {}, 0, {}, notes)


def _look_at_hypergraph(samples: HypergraphNodes) -> _Look:
    """Everything: what is unusual of a hypergraph is counted, and nothing of it is changed."""
    graph, x = samples.hypergraph, samples.hypergraph.features
    marks = next(iter(samples.protocols.values()), None)
    notes = {
        "hyperedges": f"{graph.m:,} of {len(graph.members):,} nodes in all; median {int(np.median(graph.sizes))}, largest "
        f"{int(graph.sizes.max()):,}",
        "degrees": f"median {int(np.median(graph.degrees)):,}, largest {int(graph.degrees.max()):,}",
        "unusual": f"{_counts(graph.trouble)} (kept as they are)" if graph.trouble else "",
        "features": "none: the degree stands for them" if x is None else f"{x.shape[1]:,} columns of {x.dtype}",
        "protocol": "" if marks is None or len(marks) < 2 else f"{len(marks)} splits, of which the first is taken",
    }
    bytes_ = graph.members.nbytes + graph.edges.nbytes + (0 if x is None else x.nbytes)
    modes, shape = {} if x is None else {str(x.dtype): len(samples)}, np.array([graph.described.shape[1:]])
    return _Look(shape, modes, {}, bytes_, len(samples), len(samples), {}, 0, {}, notes)


def _look_at_rows(samples: TableRows, chosen: np.ndarray) -> _Look:
    """Every row was read when the table was opened."""
    content, _ = samples.read(chosen)
    rows = np.concatenate([content.numbers.numpy().view(np.int64), content.codes.numpy()], 1)
    repeated = _repeated(row.tobytes() for row in rows)
    notes = dict(samples.notes)
    if unseen := unseen_in_other_parts(samples):
        notes["unseen"] = ", ".join(f"{count:,} cells of {name}" for name, count in unseen.items())
        notes["unseen"] += " hold values that the training part has not; each is read as 'another value'"
    if told := tellers(samples):
        notes["gives away"] = f"{', '.join(told)}: the label follows from it in 99 % of the rows; if it is known only with the "
        notes["gives away"] += "label, leave it out (--schema FILE, then `ignore` in it)"
    weight = samples.store.numbers.nbytes + samples.store.codes.nbytes
    width = np.array([[len(samples.columns)]])
    return _Look(width, {}, {}, weight, len(samples), len(chosen), {}, repeated, samples.ignored, notes)


def _depth(bits: int, clipped: int = 0) -> dict[str, str]:
    brighter = f", and {clipped:,} of the images read in full are brighter" if clipped else ""
    return {"depth": f"16-bit values, {bits} bits of them in use: {2**bits - 1} is white{brighter}"}


def _header(store: Store, row: int) -> Header | Unreadable:
    try:
        return header(store.content(row))
    except Unreadable as error:
        return error


def _plain(content: Encoded) -> bytes:
    if isinstance(content, Image.Image):
        return content.tobytes()
    return content if isinstance(content, bytes) else content.read_bytes()


def _repeated(contents: Iterable[bytes]) -> int:
    digests = [sha256(content).digest() for content in contents]
    return len(digests) - len(set(digests))


def _sizes(sizes: np.ndarray) -> dict[str, list[int]]:
    """The smallest and largest by area, and the median of each length."""
    order = np.argsort(sizes.prod(1), kind="stable")
    median = np.median(sizes, axis=0).astype(int)
    return {"smallest": sizes[order[0]].tolist(), "median": median.tolist(), "largest": sizes[order[-1]].tolist()}


def _counts(numbers: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name or 'no suffix'} {count:,}" for name, count in list(numbers.items())[:LISTED])
    return shown + (f", … {len(numbers) - LISTED} more" if len(numbers) > LISTED else "")


def _bytes(count: int) -> str:
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
