"""Where sounds lie: folders, lists beside or instead of them, single files."""

from pathlib import Path

import numpy as np

from tacit.data.folders import SPLITS, Files, holds, scan
from tacit.data.image_lists import LABELS, SPLIT, cells_of, refuse_uneven
from tacit.data.labels import numbered, told_apart
from tacit.data.sounds.formats import SUFFIXES
from tacit.data.sounds.samples import SoundSamples
from tacit.errors import TacitError

LISTS = (".csv", ".tsv")
BESIDE = tuple(f"{name}{suffix}" for name in ("labels", "metadata") for suffix in LISTS)  # the list of a folder, in it
TRIED = 100  # rows by which a column of paths is told


def is_audio(path: Path, said: bool) -> bool:
    """Whether a path holds sounds: a folder with some and without images, a sound, a list of paths of sounds.

    Where the user says so, anything but a list that has no column of paths.
    """
    if path.is_dir():
        return said or (not holds(path) and holds(path, SUFFIXES))
    if path.suffix.lower() in LISTS:
        return said or _column(_beginning(path)) is not None
    return path.suffix.lower() in SUFFIXES


def open_audio(path: Path, source: str) -> SoundSamples:
    """A folder, by the list that lies in it if there is one, else by its class folders and splits; a list; one sound."""
    if not path.is_dir():
        return from_list(path, source) if path.suffix.lower() in LISTS else open_sound(path, source)
    beside = [path / name for name in BESIDE if (path / name).is_file()]
    if beside and _column(_beginning(beside[0])) is not None:
        return from_list(beside[0], source)
    ids, labels, classes, splits, ignored = scan(path, SUFFIXES, "sound")
    own = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored}
    return SoundSamples.of(source, Files(path, ids), ids, **own)


def open_sound(path: Path, source: str) -> SoundSamples:
    """One sound, its name being its id."""
    return SoundSamples.of(source, Files(path.parent, [path.name]), [path.name])


def from_list(file: Path, source: str) -> SoundSamples:
    """A list with one sound per row: a column of paths, absolute or from the list's folder, and what else is said of each.

    The label is a column that is named so, else the first after the path that is no split; `SoundSamples.labelled` takes
    another. Columns are parted by commas, semicolons or tabs; of equal paths the first row counts.
    """
    listed = cells_of(file, source)
    if len(listed) < 2:
        raise TacitError(f"{source} lists nothing; give a header with the names of the columns and one row per sound.")
    refuse_uneven(listed, source)
    header, *rows = listed
    column = _column(listed[: TRIED + 1])
    if column is None:
        raise TacitError(
            f"{source} has the columns {', '.join(header)} and none of paths of sounds; give paths such as sounds/1.wav in one."
        )
    first = {row[column]: number for number, row in reversed(list(enumerate(rows)))}
    ids = [path for path in dict.fromkeys(row[column] for row in rows) if path]
    kept = [rows[first[path]] for path in ids]
    repeated = sum(1 for row in rows if row[column]) - len(ids)
    said = {name: np.array([row[i] for row in kept]) for i, name in enumerate(header) if i != column}
    split = next((name for name in said if name.lower() in SPLIT), None)
    splits = None if split is None else _splits(said.pop(split), split, source)
    label = next((name for want in LABELS for name in said if name.lower() == want), None) or next(iter(said), None)
    labels, classes = (None, ()) if label is None else numbered(told_apart(said[label].tolist()), source)
    notes = {"paths": f"column {header[column]!r} of {', '.join(header)}"}
    if label is not None:
        notes["labels"] = f"column {label!r}"
    ignored = {"rows that repeat a path": repeated} if repeated else {}
    missing = len(rows) - repeated - len(ids)
    if missing:
        ignored["rows without a path"] = missing
    own = {"labels": labels, "classes": classes, "splits": splits, "columns": said, "ignored": ignored, "notes": notes}
    return SoundSamples.of(source, Files(file.parent, ids), ids, **own)


def _beginning(file: Path) -> list[list[str]]:
    """Header and first rows; none of what is no list."""
    try:
        return cells_of(file, str(file), TRIED + 1)
    except (TacitError, OSError):
        return []


def _column(rows: list[list[str]]) -> int | None:
    """Which column, by its place, holds paths of sounds in most rows below the header."""
    if len(rows) < 2:
        return None
    for place in range(len(rows[0])):
        said = [row[place] for row in rows[1:] if place < len(row) and row[place]]
        if said and 2 * sum(Path(cell).suffix.lower() in SUFFIXES for cell in said) > len(said):
            return place
    return None


def _splits(values: np.ndarray, column: str, source: str) -> np.ndarray:
    other = next((value for value in values.tolist() if value.lower() not in SPLITS), None)
    if other is not None:
        raise TacitError(f"Column {column!r} of {source} holds {other!r}; write train, val or test in every row.")
    return np.array([SPLITS[value.lower()] for value in values.tolist()])
