"""Tables as files: CSV, Parquet and Arrow a block of rows at a time, and the .yaml that says otherwise what a table is."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tacit.data.folders import SPLITS
from tacit.errors import TacitError, unknown

LISTS = (".csv", ".tsv")
SUFFIXES = (*LISTS, ".parquet", ".arrow", ".feather")
ROWS = 65_536  # read together
BYTES = 4 << 20  # of a CSV
TYPES = ("number", "category", "boolean", "date", "ignore")


@dataclass(frozen=True)
class Said:
    """What the user says of a table; the rest is inferred.

    label    the column of labels; "": the one that is named so
    split    the column of splits; "": the one that is named so
    columns  types by the names of columns: number, category, boolean, date, or ignore
    """

    label: str = ""
    split: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in self.columns.items():
            if kind not in TYPES:
                raise unknown(f"type for column {name!r}", str(kind), TYPES)


def described(file: Path) -> tuple[list[Path], Said]:
    """A .yaml with `table`, a file or folder (from its own folder, or absolute), and the fields of `Said`."""
    import yaml

    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TacitError(
            f"{file} is no YAML ({' '.join(str(error).split())}); write `table: FILE` and `label: COLUMN`."
        ) from None
    if not isinstance(said, dict) or not isinstance(said.get("table"), str):
        raise TacitError(f"{file} does not say which table it describes; write `table: FILE` into it, then `label: COLUMN`.")
    for name in said:
        if name not in ("table", "label", "split", "columns"):
            raise TacitError(
                f"{file} has a field {name!r}; its fields are table, label, split and columns: write one of these."
            )
    columns = said.get("columns") or {}
    if not isinstance(columns, dict) or not all(isinstance(said.get(name) or "", str) for name in ("label", "split")):
        raise TacitError(f"{file} must give label and split as names of columns, and columns as `NAME: TYPE`; mend these.")
    place = file.parent / said["table"]
    files = tables_in(place) if place.is_dir() else [place]
    if not files or not files[0].exists():
        raise TacitError(f"{file} describes {said['table']}, where there is no table; give a file, or a folder of tables.")
    columns = {str(name): str(kind) for name, kind in columns.items()}
    return files, Said(said.get("label") or "", said.get("split") or "", columns)


def describe(table: Path, said: Said, out: Path) -> None:
    """Write a .yaml that `described` reads: where the table lies, its label and split, and the type of each column."""
    import yaml

    if out.suffix.lower() not in (".yaml", ".yml"):
        raise TacitError(f"{out} is to hold YAML; let its name end in .yaml.")
    told = {name: value for name, value in (("label", said.label), ("split", said.split)) if value}
    text = yaml.safe_dump({"table": str(table), **told, "columns": dict(said.columns)}, sort_keys=False, allow_unicode=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f"# Types: {', '.join(TYPES)}.\n{text}", encoding="utf-8")


def tables_in(folder: Path) -> list[Path]:
    """The tables that lie in a folder, of the suffix that comes first."""
    for suffix in SUFFIXES:
        if found := sorted(file for file in folder.iterdir() if file.suffix.lower() == suffix and file.is_file()):
            return found
    return []


def parts_of(files: Sequence[Path]) -> list[str] | None:
    """The split of each file by its name: train, val or test, and another part of its own ("test21"); None: they tell none.

    What is no train, val or test is learned from by nobody: it is there to be asked for.
    """
    marks = [_mark(file.stem) or _mark(file.parent.name) for file in files]
    return marks if len(files) > 1 and all(marks) and len(set(marks)) > 1 else None


def _mark(name: str) -> str:
    words = re.split(r"[-_.]", name.lower())
    mark = next((SPLITS[word] for word in words if word in SPLITS), "")
    return mark or next((word for word in words if word.rstrip("0123456789") in SPLITS), "")


def blocks(file: Path) -> Iterator[pa.RecordBatch]:
    """A file's rows, some at a time, in their order; every column of a CSV as text. Without rows, one block of none."""
    suffix = file.suffix.lower()
    try:
        if suffix in LISTS:
            yield from _csv(file)
        elif suffix == ".parquet":
            yield from _or_empty(pq.ParquetFile(file).iter_batches(ROWS), pq.read_schema(file))
        else:
            yield from _arrow(file)
    except (pa.ArrowException, ValueError, OSError) as error:
        what = {".csv": "CSV in UTF-8", ".tsv": "TSV in UTF-8", ".parquet": "Parquet"}.get(suffix, "Arrow")
        raise TacitError(f"{file.name} is no {what} that can be read ({_line(error)}); mend it or write it again.") from None


def _csv(file: Path) -> Iterator[pa.RecordBatch]:
    from pyarrow import csv as arrow

    with file.open(encoding="utf-8-sig", newline="") as text:
        first = text.readline()
    if not first.strip():
        raise TacitError(f"{file.name} lists nothing; give a header with the names of the columns and one row per sample.")
    delimiter = max(",;\t", key=first.count)
    names = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter))]
    bare = all(_is_number(name) for name in names)
    if bare:
        names = [f"column {number + 1}" for number in range(len(names))]
    with arrow.open_csv(
        file,
        arrow.ReadOptions(block_size=BYTES, column_names=names, skip_rows=0 if bare else 1),
        arrow.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    ) as reader:  # closed, too, by whoever wants no more than the first block
        yield from _or_empty(reader, reader.schema)


def _arrow(file: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(file)) as mapped:
        try:
            reader = pa.ipc.open_file(mapped)
            batches: Iterator[pa.RecordBatch] = (reader.get_batch(i) for i in range(reader.num_record_batches))
        except pa.ArrowInvalid:
            mapped.seek(0)
            reader = pa.ipc.open_stream(mapped)
            batches = iter(reader)
        cut = (batch.slice(at, ROWS) for batch in batches for at in range(0, max(len(batch), 1), ROWS))
        yield from _or_empty(cut, reader.schema)


def _or_empty(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in batches:
        rows += len(batch)
        yield batch
    if not rows:
        yield pa.RecordBatch.from_pylist([], schema)


def _is_number(text: Any) -> bool:
    try:
        float(text)
        return True
    except ValueError:
        return False


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")
