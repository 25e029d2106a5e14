"""From tables to images: columns of paths or of encoded images, in Parquet, in CSV, in what `datasets` saved."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit.data.decoding import SUFFIXES, Unreadable
from tacit.data.folders import SPLITS, Files, splits_of
from tacit.data.images import EncodedImages
from tacit.data.labels import numbered, told_apart
from tacit.data.memory import free_memory
from tacit.errors import TacitError

IMAGES = ("image", "img", "path", "file", "filename", "file_name", "filepath", "image_path")  # the first that is there
LABELS = ("label", "labels", "class", "class_name", "category", "target", "y")
SPLIT = ("split", "subset", "set", "partition")
WHOLE = 2**53  # below which float64 tells whole numbers apart
TRIED = 100  # cells by which a column of paths is told

Features = Mapping[str, Mapping[str, Any]]  # what Hugging Face's `datasets` says of each column


@dataclass(frozen=True, eq=False)
class Column:
    """Encoded images in a column: bytes, or a struct of bytes and the path of a file that stands for them."""

    values: pa.ChunkedArray
    folder: Path

    def content(self, row: int) -> Path | bytes:
        value = self.values[row].as_py()
        if isinstance(value, dict):
            value = value.get("bytes") or value.get("path")
        if not value:
            raise Unreadable("its row holds no image")
        return value if isinstance(value, bytes) else self.folder / value

    def path(self, row: int) -> str | None:
        return None

    def weight(self, rows: Sequence[int]) -> int:
        return int(self.values.nbytes * len(rows) / max(len(self.values), 1))


def lists_images(file: Path) -> bool:
    """Whether a .csv, .tsv or .parquet has a column of paths or of encoded images, as far as its beginning tells.

    What is no such file is said to have one, since what reads images says why it cannot.
    """
    if file.suffix.lower() not in (".csv", ".tsv", ".parquet"):
        return False
    try:
        if file.suffix.lower() == ".parquet":
            schema = pq.read_schema(file)
            texts = [field.name for field in schema if _is_text(field.type)]
            first = next(pq.ParquetFile(file).iter_batches(TRIED, columns=texts), None) if texts else None
            listed = first is not None and any(_holds_paths(pa.chunked_array([column])) for column in first.columns)
            return listed or any(_is_encoded(field.type) for field in schema)
        with file.open(encoding="utf-8-sig", newline="") as text:
            first_line = text.readline()
            text.seek(0)
            lines = csv.reader(text, delimiter=max(",;\t", key=first_line.count))
            rows = [row for row, _ in zip(filter(None, lines), range(TRIED + 1))]
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, OSError):
        return True
    if len(rows) < 2:
        return True
    columns = zip(*(rows if any(map(_is_path, rows[0])) else rows[1:]))
    return any(_holds_paths(pa.chunked_array([pa.array(cells)])) for cells in columns)


def from_csv(file: Path, source: str) -> EncodedImages:
    """A list with one image per row: a column of paths, absolute or from the list's folder; `label` and `split` if named so.

    Columns are parted by commas, semicolons or tabs. Without a header the columns have no names but "column 1", ….
    """
    rows = cells_of(file, source)
    if rows and any(_is_path(cell) for cell in rows[0]):
        rows.insert(0, [f"column {number + 1}" for number in range(len(rows[0]))])
    if len(rows) < 2:
        raise TacitError(f"{source} lists nothing; give a header with the names of the columns and one row per sample.")
    refuse_uneven(rows, source)
    if len({*rows[0]}) < len(rows[0]):
        raise TacitError(f"{source} has two columns of one name ({', '.join(rows[0])}); name each differently.")
    table = pa.table([pa.array(cells) for cells in zip(*rows[1:])], names=rows[0])
    return from_table(table, file.parent, source, {})


def cells_of(file: Path, source: str, most: int | None = None) -> list[list[str]]:
    """The rows of a list in UTF-8, at most so many, without empty ones; parted by commas, semicolons or tabs."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            first = text.readline()
            text.seek(0)
            lines = csv.reader(text, delimiter=max(",;\t", key=first.count))
            return list(islice(([cell.strip() for cell in row] for row in lines if row), most))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TacitError(f"{source} is no list in UTF-8 ({error}); save it again as CSV.") from None


def refuse_uneven(rows: Sequence[Sequence[str]], source: str) -> None:
    """A header and rows that have not all as many cells."""
    uneven = next((number for number, row in enumerate(rows) if len(row) != len(rows[0])), None)
    if uneven is not None:
        cells = f"{len(rows[uneven])} columns in row {uneven} and {len(rows[0])} in the header"
        raise TacitError(f"{source} has {cells}; put cells that hold a comma into double quotes.")


def from_parquet(files: Sequence[Path], source: str) -> EncodedImages:
    """Parquet files: encoded images in a column (as on the Hugging Face hub, whose file names tell splits), or a list."""
    tables: list[pa.Table] = []
    features: dict[str, Any] = {}
    try:
        kept = [_useful(pq.read_schema(file)) for file in files]
        for file, columns in zip(files, kept):
            _refuse_large(file, columns, source)
            tables.append(pq.ParquetFile(file).read(columns=columns))
            said = json.loads((tables[-1].schema.metadata or {}).get(b"huggingface", b"{}"))
            features |= said.get("info", {}).get("features", {})
    except (pa.ArrowException, ValueError, OSError) as error:
        raise TacitError(f"{source} is no readable Parquet file ({_line(error)}); write it again.") from None
    return from_tables(tables, splits_of(files), files[0].parent, source, features)


def from_tables(
    tables: list[pa.Table], marks: Sequence[str] | None, folder: Path, source: str, features: Features
) -> EncodedImages:
    """Tables of the same columns one after another, each in one split if `marks` names them."""
    try:
        table = pa.concat_tables(tables, promote_options="default")
    except pa.ArrowException as error:  # of one name and two types, too
        raise TacitError(f"The files of {source} differ in their columns ({_line(error)}); give them one by one.") from None
    splits = None if marks is None else np.repeat(marks, [len(part) for part in tables])
    return from_table(table, folder, source, features, splits)


def from_table(
    table: pa.Table, folder: Path, source: str, features: Features, splits: np.ndarray | None = None
) -> EncodedImages:
    """The images of a table, with labels and splits where columns are named so; of equal paths the first row counts."""
    if not len(table):
        raise TacitError(f"{source} lists nothing; give one row per image.")
    name = _column_of_images(table, source)
    notes, ignored = {"images": f"column {name!r} of {', '.join(table.column_names)}"}, {}
    if listed := _is_text(table.schema.field(name).type):
        paths = [path or f"row {row}" for row, path in enumerate(table[name].to_pylist())]
        first = {path: row for row, path in reversed(list(enumerate(paths)))}
        if len(first) < len(paths):
            ignored = {"rows that repeat a path": len(paths) - len(first)}
            keep = np.array(sorted(first.values()))
            table, paths = table.take(keep), [paths[row] for row in keep]
            splits = None if splits is None else splits[keep]
    column = _named(table, SPLIT)
    if splits is None and column is not None:
        splits = _splits(table[column].to_pylist(), column, source)
        notes["split"] = f"column {column!r}"
    labels, classes, column = _labels(table, source, features)
    if column is not None:
        notes["labels"] = f"column {column!r}"
    store = Files(folder, paths) if listed else Column(table[name], folder)
    ids = paths if listed else row_ids(len(table), splits)
    own = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored, "notes": notes}
    return EncodedImages.of(source, store, ids, **own)


def row_ids(n: int, splits: np.ndarray | None) -> list[str]:
    """ "train/00012": the number of each row within its split; "00012" without splits."""
    if splits is None:
        return [f"{row:05d}" for row in range(n)]
    seen = dict.fromkeys(splits.tolist(), -1)
    ids = []
    for mark in splits.tolist():
        seen[mark] += 1
        ids.append(f"{mark}/{seen[mark]:05d}")
    return ids


def _column_of_images(table: pa.Table, source: str) -> str:
    """Encoded images before paths, columns that are named for images before others."""
    fields = [(field.name, field.type) for field in table.schema]
    encoded = [name for name, kind in fields if _is_encoded(kind)]
    listed = [name for name, kind in fields if _is_text(kind) and _holds_paths(table[name])]
    found = encoded or listed
    if not found:
        columns = ", ".join(f"{name} ({kind})" for name, kind in fields)
        raise TacitError(
            f"{source} has the columns {columns} and none of images; give paths such as photos/1.png or encoded images in one."
        )
    wanted = [name for want in IMAGES for name in found if name.lower() == want]
    return (wanted or found)[0]


def _labels(table: pa.Table, source: str, features: Features) -> tuple[np.ndarray | None, tuple[str, ...], str | None]:
    """Labels, classes and the column they are from: one named so, else the first that `datasets` calls a ClassLabel.

    Names, whole numbers and booleans are classes, and so are floats if all that are neither missing nor NaN are whole;
    a column of floats with a fraction, an infinity or a number from 2^53 on is a quantity, and no label.
    """
    declared = [name for name in table.column_names if features.get(name, {}).get("_type") == "ClassLabel"]
    column = _named(table, LABELS) or next(iter(declared), None)
    if column is None:
        return None, (), None
    values, kind = table[column], table.schema.field(column).type
    if pa.types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    if _is_text(kind):
        array = told_apart([text or "" for text in values.to_pylist()])
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        try:
            array = values.cast(pa.int64()).fill_null(-1).to_numpy()
        except pa.ArrowInvalid as error:
            raise TacitError(f"Column {column!r} of {source} is too large for a label ({_line(error)}); write names.") from None
    elif pa.types.is_floating(kind):
        numbers = values.cast(pa.float64()).fill_null(np.nan).to_numpy()
        given = numbers[~np.isnan(numbers)]
        if (given != np.rint(given)).any() or (np.abs(given) >= WHOLE).any():
            return None, (), None  # a quantity and not a class
        array = np.where(np.isnan(numbers), -1, numbers).astype(np.int64)
    else:
        return None, (), None
    return *numbered(array, source, features.get(column, {}).get("names")), column


def _splits(values: list[Any], column: str, source: str) -> np.ndarray:
    unknown = next((value for value in values if str(value).lower() not in SPLITS), None)
    if None in values or unknown is not None:
        raise TacitError(f"Column {column!r} of {source} holds {unknown!r}; write train, val or test in every row.")
    return np.array([SPLITS[str(value).lower()] for value in values])


def _named(table: pa.Table, names: Sequence[str]) -> str | None:
    return next((column for name in names for column in table.column_names if column.lower() == name), None)


def _useful(schema: pa.Schema) -> list[str]:
    """The columns worth reading: not the embeddings, boxes and other lists beside the images."""
    return [field.name for field in schema if _is_encoded(field.type) or not pa.types.is_nested(field.type)]


def _refuse_large(file: Path, columns: Sequence[str], source: str) -> None:
    """What Parquet packs together cannot be read one by one, so it is held in memory, still encoded."""
    facts = pq.read_metadata(file)
    groups = (facts.row_group(i) for i in range(facts.num_row_groups))
    parts = (group.column(i) for group in groups for i in range(group.num_columns))
    size = sum(part.total_uncompressed_size for part in parts if part.path_in_schema.split(".")[0] in columns)
    if size > free_memory():
        raise TacitError(
            f"{source} takes {size / 2**30:.1f} GiB, more than the {free_memory() / 2**30:.1f} GiB free; "
            "save it with `save_to_disk` of the library datasets, whose files need not be read at once."
        )


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_encoded(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and (_is_encoded(field.type) or pa.types.is_null(field.type)) for field in kind)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _holds_paths(column: pa.ChunkedArray) -> bool:
    cells = [text for text in column[:TRIED].to_pylist() if text]
    return 2 * sum(_is_path(text) for text in cells) > len(cells)


def _is_path(text: str) -> bool:
    return Path(text.strip()).suffix.lower() in SUFFIXES


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).partition(". ")[0].rstrip(".")
