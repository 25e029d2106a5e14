"""Lists of images with captions: which columns hold what, and their rows as they are, several captions of an image together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tacit.data.decoding import SUFFIXES
from tacit.data.image_lists import IMAGES, LABELS, SPLIT
from tacit.data.labels import numbered, told_apart
from tacit.data.tabular.files import blocks
from tacit.data.text.files import HEAD, LISTS, content, form, lines, objects, rows
from tacit.data.text.opening import PARTS
from tacit.errors import TacitError

CAPTIONS = re.compile(r"(caption|captions|text|texts|sentence|sentences|alt|alt_text|description|report)([_-]?\d+)?")
PLACES = ("index", "row", "image_index", "id")  # columns of rows of an array of images
LOOKED_AT = 200  # rows by which a list is told
PROSE = 2  # words that the middle cell of a column has, which is taken for captions where none is named so


@dataclass
class Listed:
    """The rows of lists, column by column; what cannot be read of a row is None, and `wrong` says why."""

    columns: dict[str, list[Any]]
    wrong: dict[int, str]
    encoded: pa.ChunkedArray | None = None  # a column of images themselves

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


@dataclass(frozen=True)
class Roles:
    """Which columns hold what."""

    image: str  # paths, rows of an array, or images themselves
    captions: tuple[str, ...]


def roles(found: Listed | None, told: bool = False, arrays: bool = False) -> Roles | None:
    """Which columns are images and their captions; None where there are not both. `told`: the user says that there are;
    `arrays`: images may be rows of an array."""
    if found is None or not len(found):
        return None
    named = {name.lower(): name for name in reversed(found.columns)}
    paths = [name for name, cells in found.columns.items() if _are_paths(cells)]
    places = [named[name] for name in PLACES if arrays and name in named and _are_places(found.columns[named[name]])]
    wanted = [named[name] for name in IMAGES if name in named and named[name] in paths]
    images = [*([IMAGE] if found.encoded is not None else []), *wanted, *paths, *places]
    if not images:
        return None
    texts = [name for name, cells in found.columns.items() if name not in images and _are_texts(cells)]
    stems = {name: match[1] for name in texts if (match := CAPTIONS.fullmatch(name.lower()))}
    if stems:
        order = list(dict.fromkeys(stems.values()))
        first = min(order, key=lambda stem: (not stem.startswith("caption"), order.index(stem)))
        return Roles(images[0], tuple(name for name, stem in stems.items() if stem == first))
    aside = {*LABELS, *SPLIT, *PLACES}
    prose = [name for name in texts if name.lower() not in aside and _are_prose(found.columns[name])]
    return Roles(images[0], (prose[0],)) if told and prose else None


IMAGE = ""  # the column of images themselves has no name of a column of `Listed`


def head(file: Path) -> Listed | None:
    """The first rows of a list; None of what is none."""
    suffix = form(file)
    if suffix not in LISTS:
        return None
    try:
        if suffix in (".parquet", ".arrow", ".feather"):
            return _of_table(pa.Table.from_batches([next(blocks(file)).slice(0, LOOKED_AT)]))
        if suffix in (".jsonl", ".ndjson"):
            start = content(file, HEAD)
            return _of_lines(start[: start.rfind(b"\n") + 1] or start)
        return _of_cells(file, HEAD)
    except (TacitError, pa.ArrowException, UnicodeDecodeError, StopIteration, OSError):
        return None


def whole(file: Path) -> Listed:
    """All rows of a list; a TacitError where it is none."""
    suffix = form(file)
    if suffix in (".jsonl", ".ndjson"):
        return _of_lines(content(file))
    if suffix in (".parquet", ".arrow", ".feather"):
        table = pq.read_table(file) if suffix == ".parquet" else pa.Table.from_batches(list(blocks(file)))
        return _of_table(table)
    return _of_cells(file)


def joined(parts: Sequence[Listed]) -> Listed:
    """Rows of several lists one after another."""
    names = dict.fromkeys(name for part in parts for name in part.columns)
    columns = {name: [cell for part in parts for cell in part.columns.get(name, [None] * len(part))] for name in names}
    wrong: dict[int, str] = {}
    start = 0
    for part in parts:
        wrong |= {start + row: why for row, why in part.wrong.items()}
        start += len(part)
    chunks = [part.encoded for part in parts if part.encoded is not None]
    encoded = pa.chunked_array([chunk for one in chunks for chunk in one.chunks]) if len(chunks) == len(parts) else None
    return Listed(columns, wrong, encoded)


def captions_of(found: Listed, which: Roles) -> list[list[str]]:
    """The captions of each row: cells of one column or of several, which may hold lists."""
    cells = zip(*(found.columns[name] for name in which.captions))
    return [[str(text) for cell in row for text in _several(cell) if text is not None] for row in cells]


def labels_of(found: Listed, which: Roles, keep: np.ndarray, source: str) -> tuple[np.ndarray | None, tuple[str, ...], str]:
    """Labels of the rows `keep`, the classes, and the column that they are from."""
    lower = {name.lower(): name for name in reversed(found.columns)}
    column = next((lower[name] for name in LABELS if name in lower and lower[name] not in (which.image, *which.captions)), "")
    if not column or any(isinstance(cell, list | dict) for cell in found.columns[column]):
        return None, (), ""
    given = ["" if found.columns[column][row] is None else str(found.columns[column][row]) for row in keep]
    return *numbered(told_apart(given), source), column


def splits_of(found: Listed, keep: np.ndarray, source: str) -> np.ndarray | None:
    """The split that each of the rows `keep` names, if there is such a column."""
    lower = {name.lower(): name for name in reversed(found.columns)}
    column = next((lower[name] for name in SPLIT if name in lower), None)
    if column is None:
        return None
    parts = {**PARTS, "restval": "train"}  # of Karpathy's split of COCO and Flickr
    given = [str(found.columns[column][row]).strip().lower() for row in keep]
    strange = next((row for row, mark in zip(keep, given) if mark not in parts), None)
    if strange is not None:
        raise TacitError(
            f"Column {column!r} of {source} holds {found.columns[column][strange]!r} in row {strange + 1}; write train, val or "
            "test in every row."
        )
    return np.array([parts[mark] for mark in given])


def is_path(cell: Any) -> bool:
    return isinstance(cell, str) and Path(cell.strip()).suffix.lower() in SUFFIXES


def _several(cell: Any) -> list[Any]:
    return cell if isinstance(cell, list) else [cell]


def _are_paths(cells: Sequence[Any]) -> bool:
    given = [cell for cell in cells if cell]
    return 2 * sum(map(is_path, given)) > len(given) > 0


def _are_places(cells: Sequence[Any]) -> bool:
    return all(isinstance(cell, int) or (isinstance(cell, str) and cell.strip().isdigit()) for cell in cells)


def _are_texts(cells: Sequence[Any]) -> bool:
    given = [one for cell in cells for one in _several(cell) if one is not None]
    return bool(given) and all(isinstance(one, str) for one in given)


def _are_prose(cells: Sequence[Any]) -> bool:
    given = [one for cell in cells for one in _several(cell) if one]
    return bool(given) and float(np.median([len(one.split()) for one in given])) >= PROSE


def _of_lines(data: bytes) -> Listed:
    """Objects of JSON, one on each line."""
    read = lines(data)
    found, strange = objects(read)
    wrong = read.wrong | {row: f"line {number} is no object of JSON" for row, number in strange}
    names = dict.fromkeys(name for one in found for name in one)
    return Listed({name: [one.get(name) for one in found] for name in names}, wrong)


def _of_cells(file: Path, most: int = 0) -> Listed:
    """A .csv or .tsv; where its first line names an image it is a row and no header."""
    if most:  # by its beginning
        from tacit.data.text.files import head as beginning

        read = beginning(file)
        if read is None:
            raise TacitError(f"{file} is no list; write it again.")
    else:
        read = rows(file)
    columns: dict[str, list[Any]] = {name: list(cells) for name, cells in read.values.items()}
    if any(map(is_path, columns)):
        columns = {f"column {n + 1}": [name, *cells] for n, (name, cells) in enumerate(columns.items())}
        if len(columns) == 2:
            image = next(name for name, cells in columns.items() if is_path(cells[0]))
            (other,) = columns.keys() - {image}
            if _are_prose(columns[other]):  # and not a label or a number
                columns = {"image": columns[image], "caption": columns[other]}
        return Listed(columns, {row + 1: why for row, why in read.wrong.items()})
    return Listed(columns, dict(read.wrong))


def _of_table(table: pa.Table) -> Listed:
    encoded, columns = None, {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        if pa.types.is_dictionary(kind):
            columns[name] = table[name].cast(kind.value_type).to_pylist()
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_struct(kind):
            fields = [field.name for field in kind] if pa.types.is_struct(kind) else ["bytes"]
            encoded = table[name] if encoded is None and "bytes" in fields else encoded
        elif not pa.types.is_list(kind) or pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
            columns[name] = table[name].to_pylist()
    return Listed(columns, {}, encoded)
