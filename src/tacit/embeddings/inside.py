"""An approximate index inside a table, LanceDB's own, for what is larger than the memory here: inverted lists of product codes
(Jégou et al. 2011), then rescoring by the vectors, all read where they lie."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from tacit.embeddings.index import INDEXED, SAMPLES, SHORTLIST, About, about_in, lists_of, tuned
from tacit.embeddings.read import Table, open_table, reading
from tacit.embeddings.write import EVER, changing
from tacit.errors import TacitError

ASKED_AT_ONCE = 64  # queries
ROUNDS = 10  # of k-means


class Inside(NamedTuple):
    """An index that can be asked."""

    about: About
    table: Table

    def candidates(self, queries: np.ndarray, top: int) -> np.ndarray:
        """The positions of the rows that are probably nearest: m × d -> m × top, −1 where there are no more."""
        return _asked(self.table, queries, top, self.about.probes)


def inside(table: Table, told: Callable[[str], None]) -> Inside:
    """The index in a table, made where there is none, and brought up to date where rows have come; how many lists are looked
    into, and the recall that this reaches, is measured on this machine and kept beside the table."""
    made = table.provenance
    if made.similarity not in INDEXED:
        raise TacitError(f"{table.path} is compared by {made.similarity}, which has no index; search it exactly.")
    stats = _stats(table)
    if stats is None or stats.num_unindexed_rows:
        why = "there is none yet" if stats is None else "rows have come since"
        told(
            f"Making an index of {len(table):,} vectors inside {table.path}, which is large for the memory here, for {why}; "
            "--exact does without."
        )
        with changing(table.path) as lance:
            if stats is None:
                lance.create_index("vector", config=_config(table))
            else:
                lance.optimize(cleanup_older_than=EVER)
        table = open_table(table.path)
    lists = lists_of(len(table))
    file = table.path.with_name(f".{table.path.stem}.inside.json")
    about = about_in(file)
    if about is None or (about.encoder, about.table, about.rows) != (made.encoder, table.mark, len(table)):
        probes, recall = tuned(
            lambda queries, top, probes: _asked(table, queries, top, probes), lists, table, np.random.default_rng(0)
        )
        about = About(made.encoder, table.mark, len(table), lists, probes, recall, 0)
        try:
            file.write_text(json.dumps(asdict(about)))
        except OSError as error:
            raise TacitError(
                f"{file} could not be written ({error.strerror}); free some space, or search with --exact."
            ) from error
    return Inside(about, table)


def _config(table: Table) -> Any:
    """4 numbers a byte, about 4 √n lists."""
    from lancedb.index import IvfPq

    dim = table.provenance.dim
    codes = next(count for count in range(max(dim // 4, 1), 0, -1) if dim % count == 0)
    return IvfPq(
        distance_type=table.provenance.similarity,  # type: ignore[arg-type]  # one of INDEXED, whose names are LanceDB's
        num_partitions=lists_of(len(table)),
        num_sub_vectors=codes,
        max_iterations=ROUNDS,
        sample_rate=SAMPLES,
    )


def _stats(table: Table) -> Any:
    """What LanceDB knows of the index of vectors; None where there is none."""
    with reading(table.path):
        names = [index.name for index in table.lance.list_indices() if index.columns == ["vector"]]
        return table.lance.index_stats(names[0]) if names else None


def _asked(table: Table, queries: np.ndarray, top: int, probes: int) -> np.ndarray:
    found = np.full((len(queries), top), -1)
    for start in range(0, len(queries), ASKED_AT_ONCE):
        some = np.asarray(queries[start : start + ASKED_AT_ONCE], np.float32)
        # two at least, so that the answer says which query a row is for
        asked = table.lance.search(np.concatenate([some, some[:1]]), vector_column_name="vector")
        asked = asked.distance_type(table.provenance.similarity).nprobes(probes).refine_factor(SHORTLIST).limit(top)
        with reading(table.path):
            rows = (
                asked.select(["_rowoffset", "_distance"])
                .to_arrow()
                .sort_by([("query_index", "ascending"), ("_distance", "ascending")])
            )
        query, place = (rows.column(name).to_numpy().astype(np.int64) for name in ("query_index", "_rowoffset"))
        rank = np.arange(len(query)) - np.searchsorted(query, query)
        kept = query < len(some)
        found[start + query[kept], rank[kept]] = place[kept]
    return found
