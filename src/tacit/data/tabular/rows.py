"""Tables: rows of numbers, categories, booleans and dates, read once as a stream and kept on disk."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from tacit.data.folders import SPLITS
from tacit.data.image_lists import LABELS, SPLIT
from tacit.data.memory import mapped
from tacit.data.samples import Samples
from tacit.data.tabular import columns as read_columns
from tacit.data.tabular.columns import Tally, number_codes, text_codes
from tacit.data.tabular.files import ROWS, Said, blocks, described, parts_of
from tacit.data.tabular.measures import measures
from tacit.errors import TacitError, unknown

Part = tuple[str, Iterator[pa.RecordBatch]]  # what its rows' ids begin with, and the rows
NUMBERS = 0.95  # of a column's cells, from which the others are counted as missing


class Cells(NamedTuple):
    """Rows as they were read, in whatever order their file has its columns: what a cell means, the views know."""

    numbers: Tensor  # float64, n × c: NaN where a cell is no number; of dates the seconds since 1970
    codes: Tensor  # int64, n × c: a hash of what the cell says, 0 where it is missing
    columns: Tensor  # int64, c: the codes of the columns' names


class Rows(Sequence[str]):
    """The ids of rows, made when asked for: "00012", or "test/00012" where files are parts, of which some may be one."""

    def __init__(self, rows: np.ndarray, starts: np.ndarray, parts: Sequence[str]):
        self.rows, self.starts, self.parts = rows, starts, parts
        length = np.diff(starts, append=starts[-1])
        before = [sum(length[other] for other in range(part) if parts[other] == parts[part]) for part in range(len(parts))]
        self.zeros = starts - np.array(before, np.int64)  # where each part would begin had its files been one

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Rows(self.rows[place], self.starts, self.parts)
        row = int(self.rows[place])
        part = int(np.searchsorted(self.starts, row, "right")) - 1
        return f"{self.parts[part]}{row - int(self.zeros[part]):05d}"

    def __iter__(self) -> Iterator[str]:
        """All of them, a block at a time: of millions of rows one by one takes minutes."""
        for some in np.array_split(self.rows, -(-len(self.rows) // ROWS) or 1):
            part = np.searchsorted(self.starts, some, "right") - 1
            numbers = pc.utf8_lpad(pa.array(some - self.zeros[part]).cast(pa.string()), 5, "0")
            yield from pc.binary_join_element_wise(pa.array(self.parts, pa.string()).take(part), numbers, "").to_pylist()


@dataclass(frozen=True)
class Store:
    """All cells of a table in two files without a name, mapped into memory: gone when nobody looks at them any more."""

    tallies: list[Tally]  # one per column
    numbers: np.ndarray  # float64, N × c
    codes: np.ndarray  # int64, N × t, of the columns that hold more than numbers
    place: np.ndarray  # int64, c: of each column in `codes`, −1 where its codes are those of its numbers
    unread: Mapping[str, str]  # columns of other types

    def cells(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and codes at these rows and columns, n × c both."""
        numbers = np.asarray(self.numbers[rows])[:, columns]
        codes = number_codes(numbers)
        at = self.place[columns]
        codes[:, at >= 0] = np.asarray(self.codes[rows])[:, at[at >= 0]]
        return numbers, codes


@dataclass(eq=False, repr=False)
class TableRows(Samples):
    """The rows of a table. `columns` are those that are learned from, with their types; labels and splits lie apart."""

    source: str
    store: Store
    columns: np.ndarray  # int64: their places in the store
    types: tuple[str, ...]  # number, date, boolean or category, of each
    rows: np.ndarray  # int64: the row of each sample in the store
    ids: Rows
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    said: Said = field(default_factory=Said)  # all of it, what was inferred too
    place: Path = field(default_factory=Path)  # the file or the folder that it lies in
    kind = "table"

    @property
    def names(self) -> list[str]:
        return [self.store.tallies[place].name for place in self.columns]

    def read(self, index: np.ndarray) -> tuple[Cells, dict[int, str]]:
        numbers, codes = self.store.cells(self.rows[index], self.columns)
        return Cells(torch.from_numpy(numbers), torch.from_numpy(codes), torch.from_numpy(codes_of(self.names))), {}

    def take(self, index: np.ndarray) -> "TableRows":
        rows = self.rows[index]
        return replace(
            self,
            rows=rows,
            ids=Rows(rows, self.ids.starts, self.ids.parts),
            labels=None if self.labels is None else self.labels[index],
            splits=None if self.splits is None else self.splits[index],
        )

    def fitted(self, facts: Mapping[str, Any]) -> "TableRows":
        """The same rows with the columns of `facts` that were left out since all of these rows lack them: one row may."""
        known = {column["name"]: column["type"] for column in facts["columns"]}
        names = [tally.name for tally in self.store.tallies]
        more = [place for place, name in enumerate(names) if name in known and name not in self.names]
        if not more:
            return self
        types = (*self.types, *(known[names[place]] for place in more))
        return replace(self, columns=np.array([*self.columns, *more]), types=types)

    def facts(self) -> dict[str, Any]:
        columns = [{"name": name, "type": kind} for name, kind in zip(self.names, self.types)]
        return {"kind": self.kind, "shape": [len(columns)], "columns": columns}

    def statistics(self) -> dict[str, Any]:
        """What `measures` found in these rows alone, under `columns`."""
        tallies = [self.store.tallies[place] for place in self.columns]
        named = [(tally.name, kind, tally.names) for tally, kind in zip(tallies, self.types)]
        return {"columns": measures(named, lambda some: self.store.cells(self.rows[some], self.columns), len(self))}


def codes_of(names: Sequence[str]) -> np.ndarray:
    """The codes by which columns are found: int64."""
    return text_codes(pa.array(list(names), pa.string()))


def from_files(files: Sequence[Path], source: str, said: Said | None = None) -> TableRows:
    """Open CSV, Parquet or Arrow files as one table; files that are named so are its splits.

    Memory does not grow with the rows but for 8 bytes each; what they hold is kept in a temporary file. Types are inferred
    from all rows (`type_of`) unless `said` names them.
    """
    marks = parts_of(files)
    parts = [f"{mark}/" for mark in marks] if marks else [""] if len(files) == 1 else [f"{file.stem}/" for file in files]
    place = (files[0] if len(files) == 1 else files[0].parent).resolve()
    return _opened(list(zip(parts, map(blocks, files))), marks, source, said or Said(), place)


def from_arrow(table: pa.Table, source: str = "the table", said: Said | None = None, labelled: bool = True) -> TableRows:
    """Open a table in memory; of pandas, `pyarrow.Table.from_pandas(frame)`. Without `labelled` every column is content."""
    batches = iter(table.to_batches(ROWS) or [pa.RecordBatch.from_pylist([], table.schema)])
    return _opened([("", batches)], None, source, said or Said(), Path(source), labelled)


def _opened(
    parts: Sequence[Part], marks: list[str] | None, source: str, said: Said, place: Path, labelled: bool = True
) -> TableRows:
    """Store the rows of all parts and settle which columns are what; `marks` are the parts' splits."""
    store, starts = _stored(parts, source, said)
    tallies, n = store.tallies, len(store.numbers)
    if not n:
        raise TacitError(f"{source} lists nothing; give one row per sample.")
    names = [tally.name for tally in tallies]
    for name in (*said.columns, said.label, said.split):
        if name and name not in names:
            raise unknown(f"column of {source} called", name, names)
    rows = np.arange(n)
    splits = np.repeat(marks, np.diff([*starts, n])) if marks else None
    notes: dict[str, str] = {}
    split = said.split or (_named(names, SPLIT) if labelled else "")
    if splits is None and split and (found := _splits(store, names.index(split), said.split, source)) is not None:
        splits, notes["split"] = found, f"column {split!r}"
    else:
        split = ""
    usual = _named([name for name in names if name not in said.columns], LABELS) if labelled else ""
    label = said.label or usual
    labels, classes, about = _labels(store, names.index(label)) if label else (None, (), "")
    if label:
        notes["labels"] = f"column {label!r}{about}"
    types = {
        tally.name: said.columns.get(tally.name) or type_of(tally) for tally in tallies if tally.name not in (label, split)
    }
    used = [place for place, name in enumerate(names) if types.get(name, "ignore") != "ignore"]
    ignored = {f"column {name} ({kind})": n for name, kind in store.unread.items()}
    for tally in tallies:
        if types.get(tally.name) == "ignore":
            ignored[f"column {tally.name} ({'as told' if tally.name in said.columns else 'all missing'})"] = n
    if not used:
        raise TacitError(f"{source} has no column to learn from ({', '.join(names)}); give columns beside label and split.")
    kinds = tuple(types[names[place]] for place in used)
    notes["columns"] = _told([tallies[place] for place in used], kinds)
    told = Said(label, split, types)
    own: dict[str, Any] = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored, "notes": notes}
    ids = Rows(rows, np.array(starts), [part for part, _ in parts])
    return TableRows(source, store, np.array(used), kinds, rows, ids, **own, said=told, place=place)


def unseen_in_other_parts(samples: TableRows) -> dict[str, int]:
    """By column, the cells of other parts that hold a category which the declared train part has not."""
    from tacit.views.columns import Columns

    if samples.splits is None or not (samples.splits == "train").any():
        return {}
    known = Columns(samples.split("train").statistics()["columns"])
    others = samples.take(np.flatnonzero(samples.splits != "train"))
    counts = sum(
        (known.unseen(others.read(rows)[0].codes).sum(0) for rows in _chunks(len(others))), torch.zeros(len(samples.columns))
    )
    return {name: int(count) for name, count in zip(samples.names, counts.tolist()) if count}


def from_description(file: Path, source: str) -> TableRows:
    """The table that a .yaml names, with the label and the types that it says (`files.Said`)."""
    files, said = described(file)
    return from_files(files, source, said)


def type_of(tally: Tally) -> str:
    """A column's type, from all its cells: what is mostly numbers is a number, unless some are written like 007."""
    if not tally.given:
        return "ignore"
    if set(tally.names.values()) <= {"true", "false"} and not tally.many:
        return "boolean"
    if tally.numbers >= NUMBERS * tally.given and not tally.padded:
        return "date" if tally.date else "number"
    return "category"


def _stored(parts: Sequence[Part], source: str, said: Said) -> tuple[Store, list[int]]:
    """Read all parts into a store; and the row at which each begins."""
    tallies: list[Tally] = []
    unread: dict[str, str] = {}
    starts: list[int] = []
    texts: list[int] = []
    rows = 0
    with tempfile.TemporaryFile() as numbers, tempfile.TemporaryFile() as codes:
        for part, batches in parts:
            starts.append(rows)
            for batch in batches:
                if not tallies:
                    tallies, unread = _columns(batch, source, said)
                _refuse_others(batch, tallies, unread, part, source)
                found = [read_columns.read(batch.column(tally.name), tally) for tally in tallies]
                if not rows:
                    texts = [place for place, tally in enumerate(tallies) if not tally.numeric]
                for tally, block in zip(tallies, found):
                    tally.count(block)
                rows += len(batch)
                _write(numbers, np.stack([block.numbers for block in found], 1), source)
                _write(codes, np.stack([read_columns.code_of(found[place]) for place in texts], 1) if texts else None, source)
        place = np.full(len(tallies), -1)
        place[texts] = np.arange(len(texts))
        kept = mapped(numbers, np.float64, (rows, len(tallies))), mapped(codes, np.int64, (rows, len(texts)))
        return Store(tallies, *kept, place, unread), starts


def _columns(batch: pa.RecordBatch, source: str, said: Said) -> tuple[list[Tally], dict[str, str]]:
    names = batch.schema.names
    if len({*names}) < len(names):
        raise TacitError(f"{source} has two columns of one name ({', '.join(names)}); name each differently.")
    tallies, unread = [], {}
    for column in batch.schema:
        if not read_columns.readable(column.type):
            unread[column.name] = str(column.type)
            continue
        date = read_columns.is_date(column.type)
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if text:
            told = said.columns.get(column.name)
            date = told == "date" or (told is None and read_columns.is_dates(batch.column(column.name)))
        numeric = (date and not text) or read_columns.is_numeric(column.type)
        tallies.append(Tally(column.name, date, numeric))
    if not tallies:
        raise TacitError(f"{source} has no column of numbers, texts, booleans or dates; give one of these beside the others.")
    return tallies, unread


def _refuse_others(batch: pa.RecordBatch, tallies: list[Tally], unread: Mapping[str, str], part: str, source: str) -> None:
    here, known = set(batch.schema.names), {*unread, *(tally.name for tally in tallies)}
    if here != known:
        odd = ", ".join(sorted(here ^ known)[:4])
        raise TacitError(f"The files of {source} differ in their columns ({odd}, in {part.rstrip('/')}); give them one by one.")


def _write(file: BinaryIO, block: np.ndarray | None, source: str) -> None:
    if block is None:
        return
    try:
        file.write(np.ascontiguousarray(block).data)
    except OSError as error:
        raise TacitError(
            f"{source} does not fit into {tempfile.gettempdir()} ({error.strerror}); set TMPDIR to a folder on a larger disk."
        ) from None


def _named(names: Sequence[str], wanted: Sequence[str]) -> str:
    return next((name for want in wanted for name in names if name.lower() == want), "")


def _chunks(n: int, size: int = 1 << 16) -> Iterator[np.ndarray]:
    return (np.arange(at, min(at + size, n)) for at in range(0, n, size))


def _splits(store: Store, place: int, told: str, source: str) -> np.ndarray | None:
    """The split of each row by a column; None where it is only named so."""
    tally = store.tallies[place]
    known = {code: SPLITS.get(name.lower()) for code, name in tally.names.items()}
    if tally.many or tally.missing or None in known.values():
        if told:
            raise TacitError(f"Column {told!r} of {source} does not say train, val or test in every row; mend it.")
        return None
    codes = sorted(known)
    marks = np.array([known[code] for code in codes])
    return _looked_up(store, place, codes, marks)


def _labels(store: Store, place: int) -> tuple[np.ndarray | None, tuple[str, ...], str]:
    """Labels, classes and what is to be said of them. A missing cell is no label, nor is −1 beside two other numbers or more;
    a column of more values than DISTINCT, or of fractions, is a quantity and no label."""
    tally = store.tallies[place]
    names = dict(tally.names)
    numeric = tally.given == tally.numbers
    if tally.many or (numeric and any("." in name or "e" in name for name in names.values())):
        return None, (), ", a quantity and no class: kept out, and nothing is judged by it"
    without = next((code for code, name in names.items() if name == "-1" and numeric and len(names) > 2), None)
    names.pop(without or 0, None)
    order = sorted(names, key=(lambda code: (float(names[code]), "")) if numeric else (lambda code: (0.0, names[code])))
    numbered = {code: number for number, code in enumerate(order)} | {0: -1} | ({without: -1} if without else {})
    codes = sorted(numbered)
    labels = _looked_up(store, place, codes, np.array([numbered[code] for code in codes]))
    return labels, tuple(names[code] for code in order), ", −1 being none" if without else ""


def _looked_up(store: Store, place: int, codes: Sequence[int], values: np.ndarray) -> np.ndarray:
    """What stands in `values` for the code (all known, sorted) of each row in a column."""
    keys, column = np.array(codes, np.int64), np.array([place])
    found = [values[np.searchsorted(keys, store.cells(rows, column)[1][:, 0])] for rows in _chunks(len(store.numbers))]
    return np.concatenate(found)


def _told(tallies: Sequence[Tally], kinds: Sequence[str]) -> str:
    """One line per column, as `tacit inspect` shows them."""
    width = max(len(tally.name) for tally in tallies)
    lines = [f"{' ' * 12}{tally.name:<{width}}  {', '.join(_facts(tally, kind))}" for tally, kind in zip(tallies, kinds)]
    return "\n".join([f"{len(tallies)}", *lines])


def _span(tally: Tally) -> str:
    if tally.low > tally.high:
        return ""
    if not tally.date:
        return f"{tally.low:.6g} to {tally.high:.6g}"
    return " to ".join(str(np.datetime64(int(second), "s")).replace("T", " ") for second in (tally.low, tally.high))


def _facts(tally: Tally, kind: str) -> Iterator[str]:
    yield kind + (f" {span}" if kind in ("number", "date") and (span := _span(tally)) else "")
    if kind in ("category", "boolean"):
        shown = ", ".join(tally.names[code] for code, _ in tally.values.most_common(5))
        yield f"more than {read_columns.DISTINCT:,} values" if tally.many else f"{len(tally.names)} values: {shown}"
        if tally.padded and tally.numbers:
            yield "some written like 007"
        elif tally.numbers and tally.odd:
            yield f"mixed: {tally.numbers:,} of its {tally.given:,} cells are numbers"
    elif tally.odd:
        yield f"{tally.odd:,} cells are no {kind} ({', '.join(map(repr, tally.others))}) and count as missing"
    if tally.missing:
        yield f"{tally.missing:,} missing"
    if tally.infinite:
        yield f"{tally.infinite:,} of them infinite"
    if tally.huge:
        yield f"{tally.huge:,} numbers from 2^53 on, which are rounded"
    if len(tally.names) == 1 and not tally.many:
        yield "the same everywhere"
