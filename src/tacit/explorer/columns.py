"""What points are coloured by: labels, splits, and whatever else is known of each row, as numbers that a page can draw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from tacit.embeddings.places import Address
from tacit.embeddings.read import Table
from tacit.errors import TacitError

OWN = ("id", "vector", "path", "thumbnail", "text", "cells")  # columns of a table that are shown row by row and colour nothing
ROWS = 1 << 18  # read at a time: names and numbers, no vectors
MOST_NAMES = 1000  # of a column: one with more says something of each row and colours nothing
FEW_NUMBERS = 30  # whole numbers, fewer than which are names: of clusters, of levels


class Column(NamedTuple):
    """One number for each row: of a name among `names`, the commonest first, or as it was measured."""

    title: str
    values: np.ndarray  # int32, −1 where nothing is known; without names float32, NaN where nothing is known
    names: list[str]  # none of what is measured

    def said(self, row: int) -> str | float | None:
        """What is known of one row."""
        value = self.values[row]
        if self.names:
            return self.names[value] if value >= 0 else None
        return float(value) if np.isfinite(value) else None


def own_columns(table: Table) -> tuple[pa.Array, list[Column]]:
    """The ids, and the columns of the table that can colour its rows: the label, the split, what others have added, of rows
    their cells."""
    titles = [field.name for field in table.lance.schema if field.name not in OWN and not pa.types.is_nested(field.type)]
    parts: dict[str, list[pa.Array]] = {title: [] for title in ("id", *titles)}
    for batch in table.stream(ROWS, tuple(parts)):
        for title, column in parts.items():
            column.append(batch.column(title))
    values = {title: pa.chunked_array(parts[title]) for title in titles} | _cells(table)
    found = (_column(title, column) for title, column in values.items())
    return pa.chunked_array(parts["id"]).combine_chunks(), [column for column in found if column is not None]


def _cells(table: Table) -> dict[str, pa.ChunkedArray]:
    """Of a table of rows the columns of these."""
    if "cells" not in table.lance.schema.names:
        return {}
    blocks = []
    for batch in table.stream(ROWS, ("cells",)):
        lines = pc.fill_null(batch.column("cells"), "{}").to_pylist()
        blocks.append(pj.read_json(pa.BufferReader("\n".join(lines).encode())))
    read = pa.concat_tables(blocks, promote_options="permissive")
    return {name: _days(read[name]) for name in read.column_names}


def _days(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments that are all whole days as days; other values as they are."""
    if not pa.types.is_timestamp(values.type):
        return values
    days = values.cast(pa.date32(), safe=False)
    return days if days.cast(values.type).equals(values) else values


def columns_of(file: str | Path, ids: pa.Array, table: Path | Address) -> list[Column]:
    """Those of a Parquet file with a column `id`: clusters, a manifest with its scores, predictions, anything measured."""
    file = Path(file)
    try:
        read = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise TacitError(
            f"{file} is no Parquet file that can be read ({' '.join(str(error).split())[:120]}); give one with a column `id`, "
            "as tacit cluster and tacit curate write."
        ) from None
    if "id" not in read.column_names:
        raise TacitError(f"{file} has no column `id`; its columns are {', '.join(read.column_names)}.")
    where = pc.index_in(ids, value_set=read["id"].cast(pa.string()).combine_chunks())
    if where.null_count == len(ids):
        raise TacitError(f"None of the ids of {file} are in {table}; give what was written of this table.")
    found = []
    for title in read.column_names:
        plain = not pa.types.is_nested(read.schema.field(title).type)
        if title not in (*OWN, "source", "kind", "label", "split") and plain:
            column = _column(f"{file.stem}: {title}", read[title].take(where))
            found += [] if column is None else [column]
    return found


def _column(title: str, values: pa.ChunkedArray) -> Column | None:
    """Values as a page can draw them; None where all are missing, or each is another's name."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
    if values.null_count == len(values):
        return None
    whole = pa.types.is_integer(values.type)
    if pa.types.is_floating(values.type) or (whole and pc.count_distinct(values).as_py() > FEW_NUMBERS):
        numbers = values.cast(pa.float32()).to_numpy()
        return Column(title, np.ascontiguousarray(numbers, np.float32), [])
    try:
        spelt = values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    coded: Any = spelt.combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    if not 0 < len(names) <= MOST_NAMES:
        return None
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
    return _by_size(title, codes, names)


def _by_size(title: str, codes: np.ndarray, names: Sequence[str]) -> Column:
    """The same names, the commonest first; of equally common ones in the order of the alphabet."""
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda i: (-sizes[i], names[i]))
    rank = np.empty(len(names), np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return Column(title, np.where(codes < 0, -1, rank[np.maximum(codes, 0)]).astype(np.int32), [names[i] for i in order])
