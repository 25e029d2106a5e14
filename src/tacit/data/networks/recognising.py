"""What connects is told by looking into a file or folder, before that could be taken for an array, a list or a table."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tacit.data.interactions import are_interactions, open_interactions
from tacit.data.networks.collections import is_collection, open_collection
from tacit.data.networks.files import is_graph, open_graph
from tacit.data.networks.hypergraph import is_hypergraph, open_hypergraph
from tacit.data.networks.triples import are_triples, open_triples
from tacit.data.samples import Samples
from tacit.data.series.recognising import holds_series, open_series


class Format(NamedTuple):
    """What the files of a kind look like, and how they are opened."""

    holds: Callable[[Path, bool], bool]  # whether a path holds it; True where the user says that it does
    open: Callable[[Path, str], Samples]  # the path, and how the user wrote it


FORMATS: Mapping[str, Format] = {
    "hypergraph": Format(is_hypergraph, open_hypergraph),
    "graphs": Format(is_collection, open_collection),
    "graph": Format(is_graph, open_graph),
    "triples": Format(are_triples, open_triples),
    "interactions": Format(are_interactions, open_interactions),
    "series": Format(holds_series, open_series),
}


def recognised(path: Path, source: str, kind: str | None) -> Samples | None:
    """What is there of these kinds, or of the one that the user names; None where it is none of them."""
    for name, format_ in FORMATS.items():
        if kind in (None, name) and format_.holds(path, kind == name):
            return format_.open(path, source)
    return None
