"""What was decided of each row of a table, with the reason: a Parquet file that a user may change and go on with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit.embeddings.output import appearing
from tacit.embeddings.places import whole

KEY = b"tacit.curation"  # in the file's metadata: table, encoder, options, seed


@dataclass(eq=False)
class Decisions:
    """What is known and decided of n rows; whoever is first to drop a row says why."""

    ids: list[str]
    paths: list[str | None]
    labels: list[str | None]
    splits: np.ndarray | None  # "train", "val" or "test" of each
    kept: np.ndarray = field(init=False)  # bool, n
    reasons: list[str] = field(init=False)
    kinds: dict[str, int] = field(init=False)  # why rows were dropped, in a word -> how many
    scores: dict[str, np.ndarray] = field(init=False)  # columns: what was measured of all, or of some

    def __post_init__(self):
        self.kept = np.ones(len(self.ids), bool)
        self.reasons, self.kinds, self.scores = [""] * len(self.ids), {}, {}

    def drop(self, kind: str, reasons: Mapping[int, str]) -> None:
        """Drop these rows, for these reasons."""
        for row, reason in reasons.items():
            self.reasons[row] = reason
        self.kept[list(reasons)] = False
        self.kinds[kind] = len(reasons)

    def score(self, name: str, rows: np.ndarray, values: np.ndarray) -> None:
        """Note what was measured of these rows; NaN and −1 of others."""
        empty = np.nan if values.dtype.kind == "f" else -1
        column = self.scores.setdefault(name, np.full(len(self.ids), empty, values.dtype))
        column[rows] = values


def write_manifest(out: Path, decided: Decisions, source: str, kind: str, about: Mapping[str, Any]) -> None:
    """Every row with what was decided of it, beside the file and renamed.

    Columns: id, path, label, split, kept, reason, what was measured, and `source` and `kind`, by which the samples are found
    again when the file is opened: they are columns since other programs drop a file's metadata when they write it anew.
    """
    n = len(decided.ids)
    columns: dict[str, pa.Array] = {
        "id": pa.array(decided.ids, pa.string()),
        "path": pa.array([path and whole(path) for path in decided.paths], pa.string()),
        "label": pa.array(decided.labels, pa.string()),
        "split": pa.nulls(n, pa.string()) if decided.splits is None else pa.array(decided.splits.tolist(), pa.string()),
        "kept": pa.array(decided.kept),
        "reason": pa.array(decided.reasons, pa.string()),
    }
    for name, values in decided.scores.items():
        missing = np.isnan(values) if values.dtype.kind == "f" else values < 0
        columns[name] = pa.array(values, mask=missing)
    for name, value in (("source", source), ("kind", kind)):
        columns[name] = pa.DictionaryArray.from_arrays(np.zeros(n, np.int8), [value])
    table = pa.table(columns).replace_schema_metadata({KEY: json.dumps(dict(about)).encode()})
    with appearing(out) as part:
        pq.write_table(table, part)
