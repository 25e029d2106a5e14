"""What a folder of images says by its shape: which files are images, their classes and their splits."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.data.decoding import SUFFIXES
from tacit.data.images import EncodedImages
from tacit.data.samples import Samples
from tacit.errors import TacitError

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, eq=False)
class Files:
    """Image files below a folder, or anywhere where their paths are absolute."""

    root: Path
    names: Sequence[str]

    def content(self, row: int) -> Path:
        return self.root / self.names[row]

    def path(self, row: int) -> str:
        return str(self.root / self.names[row])

    def weight(self, rows: Sequence[int]) -> int:
        paths = (self.content(row) for row in rows)
        return sum(path.stat().st_size for path in paths if path.is_file())


class Scan(NamedTuple):
    """The images below a folder in the order of their ids, and what else lies there."""

    ids: list[str]  # the path below the folder, with forward slashes
    labels: np.ndarray | None  # int64; None where there are no class folders, −1 for what lies outside of them
    classes: tuple[str, ...]
    splits: np.ndarray | None
    ignored: Mapping[str, int]  # suffix -> how many files that are no images; ".*" for hidden ones


def open_folder(folder: str | Path) -> EncodedImages:
    """A folder of images: flat, with class folders, or with train, val and test above either (`scan`)."""
    root = Path(folder).expanduser()
    ids, labels, classes, splits, ignored = scan(root)
    own = {"labels": labels, "classes": classes, "splits": splits, "ignored": ignored}
    return EncodedImages.of(str(folder), Files(root, ids), ids, **own)


def open_file(file: str | Path) -> EncodedImages:
    """One image, its name being its id."""
    path = Path(file).expanduser()
    return EncodedImages.of(str(file), Files(path.parent, [path.name]), [path.name])


def place_in(folder: Path, samples: Samples, position: int) -> Path:
    """The folder that a sample's file is written into, made: folder / split / class, as far as they are known."""
    place = folder
    if samples.splits is not None:
        place = place / str(samples.splits[position])
    if samples.labels is not None and samples.labels[position] >= 0:
        place = place / samples.classes[samples.labels[position]]
    place.mkdir(parents=True, exist_ok=True)
    return place


def scan(folder: Path, suffixes: Collection[str] = SUFFIXES, what: str = "image") -> Scan:
    """Read a folder's listing, and no file of it: what has one of these suffixes is a sample.

    Folders train, val (valid, validation) and test are splits where nothing else holds images, or where train stands
    beside one of the others; then what lies outside of the splits is ignored. A class is the name of the first folder
    (below the split): deeper ones only group files. Hidden files and folders are ignored, links to folders followed once.
    """
    ids, ignored = _listing(folder, suffixes)
    if not ids:
        raise TacitError(_nothing(folder, ignored, suffixes, what))
    tops = {name.split("/", 1)[0] for name in ids if "/" in name}
    declared = {SPLITS[top.lower()] for top in tops if top.lower() in SPLITS}
    bare = all("/" in name for name in ids) and all(top.lower() in SPLITS for top in tops)
    splits = None
    if bare or ("train" in declared and len(declared) > 1):
        inside = [name for name in ids if "/" in name and name.split("/", 1)[0].lower() in SPLITS]
        ignored.update({"outside of the splits": len(ids) - len(inside)} if len(inside) < len(ids) else {})
        ids = inside
        splits = np.array([SPLITS[name.split("/", 1)[0].lower()] for name in ids])
    folders = [parts[0] if len(parts) > 1 else "" for parts in (name.split("/")[splits is not None :] for name in ids)]
    classes = tuple(sorted(set(folders) - {""}))
    number = {name: i for i, name in enumerate(classes)} | {"": -1}
    labels = np.array([number[name] for name in folders], np.int64) if classes else None
    return Scan(ids, labels, classes, splits, dict(ignored))


def splits_of(files: Sequence[Path]) -> list[str] | None:
    """The splits that files of many samples are named for, as train-00000-of-00002.parquet is; None unless all tell them."""

    def split(file: Path) -> str:
        words = [word for name in (file.name, file.parent.name) for word in re.split(r"[-_.]", name.lower())]
        return next((SPLITS[word] for word in words if word in SPLITS), "")

    marks = [split(file) for file in files]
    return marks if all(marks) and len(set(marks)) > 1 else None


def holds(folder: Path, suffixes: Collection[str] = SUFFIXES) -> bool:
    """Whether any file with one of these suffixes lies below a folder; looks no further than the first."""
    return any(_suffix(name) in suffixes for _, names in walk(folder) for name in names)


def walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each folder below (and with) this one, as what precedes a name in it ("a/b/" or ""), with the names of its files.

    Hidden folders are passed over, links to folders followed once.
    """
    visited = set()
    for where, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(where)) in visited:  # a link back up
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(where).relative_to(folder).as_posix()
        yield "" if below == "." else below + "/", files


def _listing(folder: Path, suffixes: Collection[str]) -> tuple[list[str], Counter[str]]:
    """The files with these suffixes below a folder, sorted, as paths relative to it; and the others, counted by suffix."""
    ids: list[str] = []
    ignored: Counter[str] = Counter()
    for prefix, files in walk(folder):
        for name in files:
            if (suffix := _suffix(name)) in suffixes:
                ids.append(prefix + name)
            else:
                ignored[suffix] += 1
    return sorted(ids), ignored


def _suffix(name: str) -> str:
    """The suffix in small letters; ".*" of a hidden file."""
    return ".*" if name.startswith(".") else os.path.splitext(name)[1].lower()  # noqa: PTH122  a Path per file is slow


def _nothing(folder: Path, ignored: Mapping[str, int], suffixes: Collection[str], what: str) -> str:
    if not ignored:
        return f"{folder} is empty; a folder with {what}s was expected: check the path."
    others = ", ".join(suffix or "no suffix" for suffix in sorted(ignored)[:5])
    return (
        f"{folder} holds {sum(ignored.values())} files ({others}) and no {what}; "
        f"give a folder with files such as {', '.join(sorted(suffixes)[:5])}, an .npz or an .npy."
    )
