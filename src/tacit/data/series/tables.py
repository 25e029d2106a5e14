"""Series in tables: long, a row per moment, or wide, a row per series; .csv, .tsv or .parquet."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tacit.data.image_lists import LABELS, SPLIT
from tacit.data.labels import numbered
from tacit.data.memory import free_memory
from tacit.data.series.samples import EVERY, WINDOW, Long, SeriesSamples, by_time, cut
from tacit.data.tabular.files import blocks, parts_of
from tacit.errors import TacitError

SUFFIXES = (".csv", ".tsv", ".parquet")
SERIES = ("series", "series_id", "seriesid", "sequence_id", "unique_id", "case_id", "unit_id", "recording")
TIME = ("time", "timestamp", "ts", "date", "datetime", "ds", "step")
ANOMALY = ("anomaly", "is_anomaly")
TRIED = 64  # rows by which a table is told


def is_long(file: Path) -> bool:
    """Whether a table has a column of times, and one of series or else nothing but numbers and times that only grow."""
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        return False
    try:
        first = next(blocks(file), None)
    except TacitError:
        return False  # what opens tables says why
    if first is None or len(first) < 2:
        return False
    rows = pa.Table.from_batches([first.slice(0, TRIED)])
    names = rows.column_names
    time = _named(names, TIME)
    others = [name for name in names if name not in (time, _named(names, SERIES), *(n for n in names if n.lower() in ANOMALY))]
    if not time or not others:
        return False
    if _named(names, SERIES):
        return any(_numeric(rows, name) for name in others)
    if names[0] != time or not all(_numeric(rows, name) for name in others) or _named(names, LABELS[:6]):
        return False
    moments = _moments(rows, time)
    return moments is not None and bool((np.diff(moments) > 0).all())


def open_tables(files: Sequence[Path], source: str) -> SeriesSamples:
    """A table, or several that are named for splits.

    With a column of times (`TIME`) it is long: a row per moment, one series for each value of a column named as in `SERIES`,
    or one altogether; columns of numbers are channels, one named label or split says so of its series, one named anomaly
    marks moments of a single series. Without, it is wide: a row per series; without names of columns its first is the label,
    as in the UCR archive.
    """
    marks = parts_of(files)
    if len(files) > 1 and marks is None:
        raise TacitError(f"{source} holds {len(files)} tables that are not named for splits; give one of them.")
    size = sum(file.stat().st_size for file in files)
    if size > free_memory() // 8:
        raise TacitError(
            f"{source} takes {size / 2**30:.1f} GiB as text, too much to be sorted in {free_memory() / 2**30:.1f} GiB; save it "
            "as an .npy of 1 × channels × length, which is read a window at a time."
        )
    tables = [pa.Table.from_batches(blocks(file)) for file in files]
    if any(table.column_names != tables[0].column_names for table in tables):
        raise TacitError(f"The tables of {source} have different columns; give the same in each.")
    if _named(tables[0].column_names, TIME):
        return _long(tables, marks, source)
    return _wide(tables, marks, source)


def _long(tables: Sequence[pa.Table], marks: Sequence[str] | None, source: str) -> SeriesSamples:
    names = tables[0].column_names
    time, series = _named(names, TIME), _named(names, SERIES)
    label, split, anomaly = (_named(names, known) for known in (LABELS[:6] if series else (), SPLIT, ANOMALY))
    table = pa.concat_tables(tables)
    part = np.repeat(np.arange(len(tables)), [len(one) for one in tables])
    owner = np.array(table[series].cast(pa.string()).to_pylist()) if series else np.full(len(table), "")
    channels = [n for n in names if n not in (time, series, label, split, anomaly) and _numeric(table, n)]
    left = [n for n in names if n not in (time, series, label, split, anomaly, *channels)]
    if not channels:
        raise TacitError(f"{source} has no column of numbers beside {time}; give one for each channel.")
    values = np.stack([_column(table, name) for name in channels], 1)
    moments = _moments(table, time)
    notes = {"long": f"a row per moment: {time} is time, {series or 'nothing'} tells series apart"}
    if moments is None:
        notes["times"] = f"{time} holds what is neither a number nor a date: the order of the rows stands"
        moments = np.arange(len(table), dtype=np.float64)
    each = np.char.add(np.char.add(part.astype(str), "/"), owner)
    _, heads, inverse = np.unique(each, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(heads))[inverse]  # series in the order in which they appear
    order = np.lexsort((moments, rank))
    if (np.diff(order) < 0).any():
        notes["order"] = "rows were sorted by series and time"
    step = np.diff(moments[order])[np.diff(rank[order]) == 0]
    if len(step) and (again := int((step == 0).sum())):
        notes["repeated"] = f"{again:,} rows have the time of the row before them; both are kept"
    if len(step) and not np.allclose(step, np.median(step), rtol=0.01):
        notes["spacing"] = f"uneven: from {step.min():g} to {step.max():g}; values are taken as they follow one another"
    counts = np.bincount(rank)
    head = np.sort(heads)  # the first row of each series
    known = [f"{marks[int(part[row])]}/{owner[row]}" if marks else (owner[row] or "00000") for row in head.tolist()]
    told, classes = (None, ()) if not label else numbered(_text(table, label)[head], source)
    splits = (
        np.array([marks[int(part[row])] for row in head.tolist()]) if marks else _text(table, split)[head] if split else None
    )
    samples = SeriesSamples.of(
        source, values[order], counts, known, channels, notes, labels=told, classes=classes, splits=splits
    )
    samples.ignored = {**samples.ignored, **{f"column {name} (no number)": len(table) for name in left}}
    if anomaly and len(counts) == 1:
        marked = _column(table, anomaly)[order] > 0
        samples.long = Long(by_time(len(values)), WINDOW, EVERY, marked)
    return cut(samples)


def _wide(tables: Sequence[pa.Table], marks: Sequence[str] | None, source: str) -> SeriesSamples:
    table = pa.concat_tables(tables)
    names = table.column_names
    bare = names[0] == "column 1"
    label, split = (names[0] if bare else _named(names, LABELS)), _named(names, SPLIT)
    cells = [name for name in names if name not in (label, split) and _numeric(table, name)]
    if len(cells) < 2:
        raise TacitError(f"{source} has {len(cells)} columns of numbers; a row of a wide table is a series of 2 or more.")
    block = np.stack([_column(table, name) for name in cells], 1)
    there = ~np.isnan(block)
    lengths = np.where(there.any(1), block.shape[1] - there[:, ::-1].argmax(1), 1)
    told, classes = numbered(_text(table, label), source) if label else (None, ())
    part = np.repeat(np.arange(len(tables)), [len(one) for one in tables])
    splits = np.array([marks[p] for p in part.tolist()]) if marks else _text(table, split) if split else None
    place = np.arange(len(table)) - np.concatenate([[0], np.cumsum([len(one) for one in tables])])[part]
    ids = [f"{marks[p]}/{row:05d}" if marks else f"{row:05d}" for p, row in zip(part.tolist(), place.tolist())]
    values = block[np.arange(block.shape[1]) < lengths[:, None]][:, None]
    notes = {"wide": f"a row per series, {len(cells)} columns of values" + (f", {label} is the label" if label else "")}
    samples = SeriesSamples.of(source, values, lengths, ids, ["value"], notes, labels=told, classes=classes, splits=splits)
    return cut(samples)


def _named(names: Sequence[str], known: Sequence[str]) -> str:
    return next((name for name in names if name.lower() in known), "")


def _text(table: pa.Table, name: str) -> np.ndarray:
    return np.array([("" if cell is None else str(cell)).strip() for cell in table[name].to_pylist()])


def _numeric(table: pa.Table, name: str) -> bool:
    """Whether a column holds numbers and gaps alone, and at least one number."""
    column = table[name]
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return True
    if not pa.types.is_string(column.type):
        return False
    cells = pc.utf8_trim_whitespace(column)
    given = cells.filter(pc.invert(pc.is_in(cells, pa.array(["", "NaN", "nan", "NA", "?"]))))
    try:
        given.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return len(given) > 0


def _column(table: pa.Table, name: str) -> np.ndarray:
    """A column of numbers, NaN where one is missing."""
    column = table[name]
    if pa.types.is_string(column.type):
        cells = pc.utf8_trim_whitespace(column)
        gone = pc.is_in(cells, pa.array(["", "NaN", "nan", "NA", "?"]))
        column = pc.if_else(gone, pa.scalar(None, pa.string()), cells).cast(pa.float64())
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _moments(table: pa.Table, name: str) -> np.ndarray | None:
    """Times as numbers, of dates the seconds since 1970; None where they are neither."""
    if _numeric(table, name):
        return _column(table, name)
    column = table[name]
    try:
        if pa.types.is_string(column.type):
            column = pc.cast(pc.utf8_trim_whitespace(column), pa.timestamp("us"))
        return column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e6
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
