"""Files of texts: lines and columns, with the reason for each row that cannot be read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tacit.data.decoding import SUFFIXES
from tacit.data.memory import free_memory
from tacit.data.tabular.files import blocks
from tacit.errors import TacitError

LINES = (".txt", ".text")
LISTS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".feather")
LARGEST = 2**20  # bytes of one text
HEAD = 2**18  # bytes by which a file is told
LOOKED_AT = 200  # rows by which a table is told


@dataclass
class Columns:
    """Rows as texts by column, None where a cell is missing; `wrong` says of a row why it cannot be read."""

    values: dict[str, list[str | None]]
    wrong: dict[int, str] = field(default_factory=dict)
    numbers: list[int] | None = None  # of the lines in the file, counted from 1; None: rows are counted from 0
    empty: int = 0  # lines without a letter, which are no rows
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)  # names of classes, of columns that hold their numbers
    pictures: bool = False  # whether a column holds encoded ones, or paths of some

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), []))


def form(file: Path) -> str:
    """The suffix that says what a file holds, .gz aside: in small letters."""
    name = file.name.lower().removesuffix(".gz")
    return f".{name.rpartition('.')[2]}" if "." in name else ""


def content(file: Path, most: int = 0) -> bytes:
    """A file's bytes, unpacked; of more than `most` (0: what memory holds) the first."""
    limit = most or free_memory() // 4
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            found = stream.read(limit)
    except (OSError, pa.ArrowException) as error:
        raise TacitError(f"{file} cannot be read ({' '.join(str(error).split())[:120]}); write it again.") from None
    if not most and len(found) >= limit:
        raise TacitError(f"{file} unpacks to more than the {limit / 2**30:.1f} GiB that texts may take here; split it.")
    return found


def head(file: Path) -> Columns | None:
    """The first rows of a list, by which it is told; None where they cannot be read so."""
    suffix = form(file)
    try:
        if suffix == ".parquet":  # a block of all columns may be gigabytes of pictures
            schema = pq.read_schema(file)
            texts = [one.name for one in schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]
            if not texts:
                return None
            found = of_table(pa.Table.from_batches([next(pq.ParquetFile(file).iter_batches(LOOKED_AT, columns=texts))]))
            others = [one.name for one in schema if one.name not in texts and not pa.types.is_nested(one.type)]
            found.values |= {name: [None] * len(found) for name in others}
            found.pictures |= _pictures(schema)
            return found
        if suffix in (".arrow", ".feather"):
            return of_table(pa.Table.from_batches([next(blocks(file)).slice(0, LOOKED_AT)]))
        start = content(file, HEAD)
        whole = start[: start.rfind(b"\n") + 1] or start
        found = PARSERS[suffix](whole if len(start) == HEAD else start)
        found.pictures = any(_are_paths(cells) for cells in found.values.values())
        return found
    except (TacitError, pa.ArrowException, UnicodeDecodeError, StopIteration):
        return None


def rows(file: Path) -> Columns:
    """All rows of a list."""
    suffix = form(file)
    if suffix in PARSERS:
        try:
            return PARSERS[suffix](content(file))
        except pa.ArrowException as error:
            why = " ".join(str(error).split())[:120]
            raise TacitError(f"{file} is no {suffix} that can be read ({why}); write it again.") from None
    found = of_table(pa.Table.from_batches(list(blocks(file))))
    if suffix == ".parquet":
        found.named = class_names(json.loads((pq.read_schema(file).metadata or {}).get(b"huggingface", b"{}")))
    return found


def class_names(said: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What `datasets` of Hugging Face says of columns that hold the numbers of classes."""
    features = said.get("info", said).get("features") or {}
    return {name: about["names"] for name, about in features.items() if isinstance(about, dict) and about.get("names")}


def of_table(table: pa.Table) -> Columns:
    """The columns of a table that hold texts or numbers, as texts."""
    values = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type):
            continue
        try:
            values[name] = column.cast(pa.large_string()).to_pylist()
        except (pa.ArrowException, UnicodeDecodeError):
            continue  # what is neither, such as the bytes of pictures
    return Columns(values, pictures=_pictures(table.schema) or any(_are_paths(cells[:LOOKED_AT]) for cells in values.values()))


def _pictures(schema: pa.Schema) -> bool:
    """Whether a column holds encoded pictures as the library `datasets` writes them: bytes, alone or with a path."""
    kinds = [kind for one in schema for kind in ([*one.type] if pa.types.is_struct(one.type) else [one])]
    return any(pa.types.is_binary(kind.type) or pa.types.is_large_binary(kind.type) for kind in kinds)


def _are_paths(cells: Sequence[str | None]) -> bool:
    """Whether most cells are the paths of pictures."""
    given = [cell for cell in cells[:LOOKED_AT] if cell]
    return 2 * sum(cell.lower().endswith(tuple(SUFFIXES)) for cell in given) > len(given) > 0


def lines(data: bytes) -> Columns:
    """A text on each line; lines without a letter are left out and counted."""
    texts: list[str | None] = []
    wrong: dict[int, str] = {}
    numbers = []
    found = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if found and not found[-1]:
        found.pop()  # behind the last line's end
    for number, line in enumerate(found, 1):
        if stripped := line.strip():
            text, why = decoded(stripped)
            if why:
                wrong[len(texts)] = f"{why} (line {number})"
            texts.append(text)
            numbers.append(number)
    return Columns({"text": texts}, wrong, numbers, len(found) - len(texts))


def decoded(raw: bytes) -> tuple[str | None, str]:
    """A text, or nothing and why."""
    if len(raw) > LARGEST:
        return None, f"it takes {len(raw) / 2**20:.1f} MiB, and a text may take 1 MiB"
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return None, f"it is no UTF-8: byte 0x{raw[error.start]:02x} at {error.start}"


def objects(read: Columns) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
    """What lines say in JSON, {} where one cannot be read or is no object; of the latter the rows and the lines' numbers."""
    assert read.numbers is not None  # of lines
    found: list[dict[str, Any]] = []
    wrong = []
    for row, (line, number) in enumerate(zip(read.values["text"], read.numbers)):
        try:
            one = json.loads(line) if line is not None else {}
        except ValueError:
            one = None
        if not isinstance(one, dict):
            wrong.append((row, number))
        found.append(one if isinstance(one, dict) else {})
    return found, wrong


def _jsonl(data: bytes) -> Columns:
    read = lines(data)
    found, wrong = objects(read)
    read.wrong |= {row: f"it is no object of JSON (line {number})" for row, number in wrong}
    names = dict.fromkeys(name for one in found for name, value in one.items() if not isinstance(value, dict | list))
    read.values = {name: [_cell(one.get(name)) for one in found] for name in names} or {"text": [None] * len(found)}
    return read


def _tsv(data: bytes) -> Columns:
    """Cells between tabs, quotation marks being what they are: sentences have them."""
    read = lines(data)
    first, *others = read.values["text"] or [""]
    names = [name.strip() for name in (first or "").split("\t")]
    wrong: dict[int, str] = {}
    cells: list[list[str | None]] = []
    for row, line in enumerate(others):
        fields: list[str | None] = list(line.split("\t")) if line is not None else []
        if len(fields) != len(names):
            assert read.numbers is not None  # of lines
            why = f"it has {len(fields)} columns, not {len(names)} (line {read.numbers[row + 1]})"
            wrong[row] = read.wrong.get(row + 1, why)
            fields = [None] * len(names)
        cells.append(fields)
    columns = dict(zip(names, map(list, zip(*cells)))) if cells else {name: [] for name in names}
    return Columns(columns, wrong, read.numbers[1:] if read.numbers else [], read.empty)


def _csv(data: bytes) -> Columns:
    from pyarrow import csv

    first = data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    delimiter = max(",;\t", key=lambda mark: first.count(mark.encode()))
    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    names = csv.read_csv(pa.BufferReader(first + b"\n"), parse_options=parse).column_names
    convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=False)
    table = csv.read_csv(pa.BufferReader(data), csv.ReadOptions(block_size=2**24), parse, convert)
    wrong: dict[int, str] = {}
    values: dict[str, list[str | None]] = {}
    for name in dict.fromkeys(table.column_names):
        if table.column_names.count(name) > 1:
            raise pa.ArrowInvalid(f"two columns are named {name}")
        cells = [decoded(cell) for cell in table[name].to_pylist()]
        wrong |= {row: f"{why} (column {name})" for row, (_, why) in enumerate(cells) if why}
        values[name] = [text for text, _ in cells]
    return Columns(values, wrong)


PARSERS: Mapping[str, Callable[[bytes], Columns]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".tsv": _tsv,
    ".csv": _csv,
}


def _cell(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else str(value)
