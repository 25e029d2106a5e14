"""What a table holds: for each sample its id, vector, path, label, split and a small picture of it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tacit.embeddings.provenance import Provenance
from tacit.errors import TacitError

COLUMNS = ("id", "vector", "path", "label", "split", "thumbnail")
SHOWN = {"text": "text", "table": "cells"}  # one column more, by the kind of data: what is looked at in place of a picture


class Rows(NamedTuple):
    """n samples and their vectors, column by column."""

    ids: list[str]
    paths: list[str | None]  # the file a sample lies in, if it has one
    labels: list[str | None]
    vectors: np.ndarray  # float32, n × d; of ragged content all tokens × d
    thumbnails: list[bytes | None]  # PNG or JPEG, small; None for what has no picture
    texts: list[str] | None = None  # the beginning of each, where samples are texts
    splits: list[str | None] | None = None  # "train", "val" or "test", where the source says so
    offsets: np.ndarray | None = None  # of ragged content, int64, n + 1: row i has the vectors offsets[i]:offsets[i + 1]
    cells: list[str] | None = None  # what each holds, as an object of JSON, where samples are rows of a table


class Row(NamedTuple):
    """One sample and its vector."""

    id: str
    path: str | None
    label: str | None
    vector: np.ndarray  # float32, d
    thumbnail: bytes | None


def refuse_repeated(ids: Callable[[], Iterable[str | None]], source: Any) -> None:
    """Refuse ids of which one is missing or comes twice: a row is found, renewed and joined by its own.

    `ids` gives them all, and again where some share one of 64 bits, by which they are told apart in 8 bytes each.
    """

    def mark(id: str | None) -> int:
        if id is None:
            raise TacitError(f"{source} has a sample without an id; give each sample an id of its own.")
        return hash(id)

    marks = np.sort(np.fromiter(map(mark, ids()), np.int64))
    alike = {*marks[1:][marks[1:] == marks[:-1]].tolist()}
    seen: set[str | None] = set()
    for id in ids() if alike else ():
        if id in seen:
            raise TacitError(f"{source} has the id {id!r} twice; give each sample an id of its own.")
        if hash(id) in alike:
            seen.add(id)


def schema(provenance: Provenance) -> pa.Schema:
    """The columns of a table, with its provenance as metadata."""
    fields = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("vector", _vector(provenance), nullable=False),
        pa.field("path", pa.string()),
        pa.field("label", pa.string()),
        pa.field("split", pa.string()),
        pa.field("thumbnail", pa.binary()),
    ]
    shown = [pa.field(SHOWN[provenance.kind], pa.string())] if provenance.kind in SHOWN else []
    return pa.schema(fields + shown, metadata=provenance.metadata())


def _vector(provenance: Provenance) -> pa.DataType:
    one = pa.list_(pa.float32(), provenance.dim)
    return pa.list_(one) if provenance.form == "ragged" else one


def to_batch(rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    """Rows as Arrow; the vectors are copied, so that the caller may use their memory again.

    A vector that is not finite is a TacitError naming the samples.
    """
    kind = schema.field("vector").type
    dim = (kind if pa.types.is_fixed_size_list(kind) else kind.value_type).list_size
    vectors = np.array(rows.vectors, dtype=np.float32, order="C")
    given: list[list[Any]] = [rows.ids, rows.paths, rows.labels, rows.thumbnails]
    given += [column for column in (rows.texts, rows.splits, rows.cells) if column is not None]
    ends = np.arange(len(rows.ids) + 1) if rows.offsets is None else np.asarray(rows.offsets)
    lengths = [len(ends) - 1, *(len(column) for column in given)]
    if vectors.shape != (ends[-1], dim) or {*lengths} != {len(rows.ids)}:
        raise ValueError(f"rows have columns of lengths {lengths} and vectors of shape {vectors.shape}, not n × {dim}")
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    broken = np.unique(np.searchsorted(ends, broken, side="right") - 1)
    if len(broken):
        some = ", ".join(repr(rows.ids[i]) for i in broken[:3]) + (" and others" if len(broken) > 3 else "")
        raise TacitError(
            f"The vectors of {some} hold NaN or infinite numbers and cannot be compared; check these samples, or train the "
            "encoder at a lower rate or in float32."
        )
    try:
        ids, paths, labels = (pa.array(column, pa.string()) for column in (rows.ids, rows.paths, rows.labels))
    except UnicodeEncodeError as error:
        raise TacitError(f"The name {error.object!r} is not UTF-8 and cannot be stored; rename that file.") from error
    numbers = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), dim)
    if rows.offsets is not None:
        numbers = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), numbers)
    none: list[str | None] = [None] * len(ids)
    splits, texts, cells = (pa.array(column or none, pa.string()) for column in (rows.splits, rows.texts, rows.cells))
    pictures = pa.array(rows.thumbnails, pa.binary())
    found = {"id": ids, "vector": numbers, "path": paths, "label": labels, "split": splits, "thumbnail": pictures}
    found |= {"text": texts, "cells": cells}
    return pa.record_batch([found[name] for name in schema.names], schema=schema)


def vectors_of(batch: pa.RecordBatch | pa.Table) -> np.ndarray:
    """The vectors of a batch that has the column: float32, n × d; may be a read-only view of it."""
    column = batch.column("vector")
    if not pa.types.is_fixed_size_list(column.type):
        raise TacitError(
            "This table holds vectors of tokens, several for each sample, which `tacit search` compares; for anything else "
            "embed without --tokens."
        )
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)


def tokens_of(batch: pa.RecordBatch | pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of a ragged batch, float32, tokens × d, and where each row's begin and the last one's end: int64, n + 1."""
    column = batch.column("vector")
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    ends = column.offsets.to_numpy().astype(np.int64)
    values = column.flatten().flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.value_type.list_size)
    return values, ends - ends[0]
