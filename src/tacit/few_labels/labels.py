"""A list of a few labels, and the samples that they are of."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.data.image_lists import cells_of, refuse_uneven
from tacit.data.labels import numbered, told_apart
from tacit.data.samples import Samples
from tacit.embeddings.places import whole
from tacit.embeddings.spelling import distances
from tacit.errors import TacitError, unknown

UNKNOWN = 0.1  # the share of labels for ids that are not there, above which they are of other data
NAMES = ("id", "path")  # columns that say whose label it is; the first that is there
SHOWN = 3  # names in a sentence


class Given(NamedTuple):
    """Labels as they were given."""

    source: str
    by: str  # "id" or "path"
    labels: dict[str, str]  # without those that are empty
    notes: list[str]  # what was left out, one sentence each


class Labels(NamedTuple):
    """Which samples of a source have which label."""

    positions: np.ndarray  # int64, in order
    places: np.ndarray  # int64, 0…C−1, of their classes
    classes: tuple[str, ...]
    notes: list[str]


def read(labels: str | Path | Mapping[str, object]) -> Given:
    """A .csv or .tsv with the columns id (or path) and label, or in Python a mapping of ids to labels.

    An empty label, or NaN, is left out and counted; an id that comes twice with the same label counts once, and with two
    labels is refused. Paths are told from the list's folder.
    """
    if isinstance(labels, Mapping):
        return _gathered("the labels", "id", [(str(id), _said(label)) for id, label in labels.items()])
    file = Path(labels)
    if not file.is_file():
        raise TacitError(f"There is no list of labels {file}; give a .csv with the columns id and label.")
    rows = cells_of(file, str(file))
    if not rows:
        raise TacitError(f"{file} is empty; give a header, id,label, and a row for each label.")
    header = [name.strip().lower() for name in rows[0]]
    by = next((name for name in NAMES if name in header), None)
    for name in ("id" if by is None else by, "label"):
        if name not in header:
            raise unknown(f"column of {file}", name, rows[0])
    refuse_uneven(rows, str(file))
    whose, which = header.index(by or "id"), header.index("label")
    names = [row[whose] for row in rows[1:]]
    if by == "path":
        spelt: dict[str, str] = {}  # a path may be written in two ways: the first stands for both
        names = [spelt.setdefault(whole(str(file.parent / name)), name) for name in names]
    return _gathered(str(file), by or "id", [(name, _said(row[which])) for name, row in zip(names, rows[1:])])


def match(given: Given, samples: Samples) -> Labels:
    """The samples that have a label, by their ids or the paths of their files.

    Labels for ids that are not there are named and left out; where they are more than a tenth of all, they are refused.
    """
    if given.by == "path" and samples.path(0) is None:
        raise TacitError(f"{given.source} names files by path, and the samples of {samples.source} are none; give their ids.")
    names = samples.ids if given.by == "id" else [whole(samples.path(i) or "") for i in range(len(samples))]
    folder = Path(given.source).parent
    label_of = {name if given.by == "id" else whole(str(folder / name)): (name, label) for name, label in given.labels.items()}
    found = {position: label_of[name][1] for position, name in enumerate(names) if name in label_of}
    known = {names[position] for position in found}
    strange = [name for key, (name, _) in label_of.items() if key not in known]
    if len(strange) > UNKNOWN * len(label_of) or not found:
        raise TacitError(_none_such(strange, given, samples, list(names)))
    notes = list(given.notes)
    if strange:
        notes.append(f"{len(strange)} of {len(label_of)} labels are of no sample ({_some(strange)}) and are left out.")
    positions = np.fromiter(found, np.int64, len(found))
    places, classes = numbered(told_apart(list(found.values())), given.source)
    if bare := int((places < 0).sum()):
        notes.append(f"{bare} labels are numbers below 0, which say that there is none, and are left out.")
    positions, places = positions[places >= 0], places[places >= 0]
    return Labels(positions, places, classes, notes + _sizes(places, classes, given.source))


def _sizes(places: np.ndarray, classes: tuple[str, ...], source: str) -> list[str]:
    """What is unusual in the sizes of the classes; what cannot be learned from is refused."""
    counts = np.bincount(places, minlength=len(classes))
    if len(classes) < 2:
        only = f"one label only, {classes[0]!r}" if classes else "no label"
        raise TacitError(f"{source} has {only}; give labels of two classes or more.")
    if counts.max() < 2:
        raise TacitError(
            f"{source} has a single sample of each of its {len(classes)} classes, so that nothing can be held back to judge "
            "by; give two labels or more of a class."
        )
    alone = [classes[place] for place in np.flatnonzero(counts == 1)]
    is_of = "1 class has" if len(alone) == 1 else f"{len(alone)} classes have"
    return [f"{is_of} a single sample ({_some(alone)}), which is learned from and cannot be judged."] if alone else []


def _gathered(source: str, by: str, rows: list[tuple[str, str]]) -> Given:
    given = [(name, label) for name, label in rows if label]
    if not given:
        raise TacitError(f"{source} holds no label{' but empty ones' if rows else ''}; give a row for each.")
    labels = dict(given)
    if torn := sorted({name for name, label in given if labels[name] != label}):
        others = f" and {len(torn) - 1} more" if len(torn) > 1 else ""
        raise TacitError(f"{source} gives {torn[0]!r}{others} two labels; give one to each.")
    notes = []
    if empty := len(rows) - len(given):
        notes.append(f"{empty} of {len(rows)} labels are empty or NaN and are left out.")
    if twice := len(given) - len(labels):
        notes.append(f"{twice} labels came twice, alike, and count once.")
    return Given(source, by, labels, notes)


def _said(label: object) -> str:
    text = "" if label is None else str(label).strip()
    return "" if text.lower() == "nan" else text


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:SHOWN])) + (", …" if len(names) > SHOWN else "")


def _none_such(strange: list[str], given: Given, samples: Samples, names: list[str]) -> str:
    name = strange[0] if given.by == "id" else whole(str(Path(given.source).parent / strange[0]))
    near = names[int(distances(name, names).argmin())]
    return (
        f"{len(strange)} of {len(given.labels)} labels of {given.source} are of no sample of {samples.source} "
        f"({_some(strange)}; the nearest to the first is {near!r}); correct them, or give their source as --data."
    )
