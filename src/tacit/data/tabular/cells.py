"""What the cells of rows say, for whoever looks at them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tacit.data.tabular.columns import Tally
from tacit.data.tabular.rows import TableRows

COLUMNS = 100  # the first of a table, that are told
LETTERS = 80  # of a value


def cells(samples: TableRows, index: np.ndarray) -> list[str]:
    """An object of JSON for each row: the values of its columns by their names, null where one is missing.

    Numbers are numbers, dates as ISO 8601 has them. Of a column with more values than were told apart (`columns.DISTINCT`)
    the others are "…".
    """
    columns = samples.columns[:COLUMNS]
    numbers, codes = samples.store.cells(samples.rows[index], columns)
    parts = []
    for at, (place, kind) in enumerate(zip(columns.tolist(), samples.types)):
        tally = samples.store.tallies[place]
        said = _numbers(numbers[:, at], kind) if kind in ("number", "date") else _names(codes[:, at], tally)
        parts.append(pc.binary_join_element_wise(json.dumps(tally.name), said, ": "))
    whole = pc.binary_join_element_wise(*parts, ", ")
    return pc.binary_join_element_wise("{", whole, "}", "").to_pylist()


def _numbers(values: np.ndarray, kind: str) -> pa.Array:
    """As JSON; what is no number of its column is missing there."""
    known = pa.array(~np.isnan(values))
    if kind == "number":
        return pc.if_else(known, pa.array(values).cast(pa.string()), "null")
    moments = pa.array(np.nan_to_num(values).round().astype(np.int64)).cast(pa.timestamp("s"))
    days = not (np.nan_to_num(values) % 86_400).any()
    said = pc.strftime(moments, format="%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%S")
    return pc.if_else(known, pc.binary_join_element_wise('"', said, '"', ""), "null")


def _names(codes: np.ndarray, tally: Tally) -> pa.Array:
    """As JSON."""
    values, where = np.unique(codes, return_inverse=True)
    names = [None if code == 0 else tally.names.get(code, "…")[:LETTERS] for code in values.tolist()]
    return pa.array([json.dumps(name, ensure_ascii=False) for name in names]).take(pa.array(where))
