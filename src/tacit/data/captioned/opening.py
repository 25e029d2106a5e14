"""What holds images with captions is told by looking into a file or a folder, and opened as pairs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tacit.data.captioned.captions import captioned
from tacit.data.captioned.lists import (
    IMAGE,
    Listed,
    Roles,
    captions_of,
    head,
    joined,
    labels_of,
    roles,
    splits_of,
    whole,
)
from tacit.data.captioned.shards import from_captioned_shards, holds_captions
from tacit.data.decoding import SUFFIXES
from tacit.data.folders import Files, walk
from tacit.data.image_lists import Column, row_ids
from tacit.data.images import EncodedImages, ImageArrays
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.data.text.files import LISTS, form
from tacit.data.text.opening import marks_of
from tacit.errors import TacitError

TRIED = 20  # paths by which the folder is found that they are below


def open_captioned(files: Sequence[Path], source: str, kind: str | None) -> Pairs | None:
    """The pairs of files or of a folder; None where they hold none, or the user says that they hold something else."""
    if kind not in (None, "pair"):
        return None
    path, told = files[0], kind == "pair"
    if path.is_dir():
        return _folder(path, source, told)
    if path.suffix.lower() == ".tar":
        return from_captioned_shards(files, source) if told or holds_captions(path) else None
    if form(path) in LISTS and (which := roles(head(path), told)) is not None:
        return _lists(files, which, source)
    return None


def _folder(path: Path, source: str, told: bool) -> Pairs | None:
    """A folder with a list (or with one for each split) of the images in it, or of the rows of an .npz; or with shards."""
    here = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    shards = [file for file in here if file.suffix.lower() == ".tar"]
    if shards and len(shards) == len([file for file in here if not file.name.startswith("README")]):
        return open_captioned(shards, source, "pair" if told else None)
    lists, arrays = [file for file in here if form(file) in LISTS], [file for file in here if file.suffix.lower() == ".npz"]
    if not lists:
        return None
    found = [roles(head(file), told, arrays=len(arrays) == 1) for file in lists]
    if any(one is None or one.image == IMAGE for one in found) or (len(lists) > 1 and marks_of(lists) is None):
        return None
    if any(_by_place(file, one) for file, one in zip(lists, found) if one is not None):
        return _rows_of_array(arrays[0], lists, found[0], source) if found[0] is not None else None
    return _lists(lists, found[0], source, path) if found[0] is not None else None


def _lists(files: Sequence[Path], which: Roles, source: str, folder: Path | None = None) -> Pairs:
    """Rows with a path, or with an image itself. In a `folder`, what no row names has no caption."""
    read = [whole(file) for file in files]
    found, marks = joined(read), marks_of(files)
    declared = None if marks is None else np.repeat(marks, [len(part) for part in read])
    captions = captions_of(found, which)
    if which.image == IMAGE:
        keep = np.arange(len(found))
        own = _told(found, which, keep, declared, source)
        store = Column(found.encoded, files[0].parent)  # type: ignore[arg-type]  # `roles` saw it
        images = EncodedImages.of(source, store, row_ids(len(found), own["splits"]), **own)
        return captioned(images, captions, found.wrong, {}, _notes(files, which))
    names: dict[str, list[int]] = {}
    for row, cell in enumerate(found.columns[which.image]):
        names.setdefault(str(cell).strip() if cell else f"row {row + 1} of {files[0].name}", []).append(row)
    keep = np.array([own_rows[0] for own_rows in names.values()])
    own = _told(found, which, keep, declared, source)
    grouped = [[text for row in own_rows for text in captions[row]] for own_rows in names.values()]
    wrong = {i: found.wrong[row] for i, row in enumerate(keep.tolist()) if row in found.wrong}
    root, paths = _root(files[0].parent, list(names)), list(names)
    if folder is not None and (extra := _unnamed(folder, root, paths)):
        wrong |= dict.fromkeys(range(len(paths), len(paths) + len(extra)), f"no row of {_named(files)} names it")
        paths, grouped = paths + extra, grouped + [[] for _ in extra]
        own = _longer(own, len(extra))
    return captioned(EncodedImages.of(source, Files(root, paths), paths, **own), grouped, wrong, {}, _notes(files, which))


def _rows_of_array(file: Path, lists: Sequence[Path], which: Roles, source: str) -> Pairs:
    """Rows that name images by their place in the one array of images of an .npz; what has no place, or no row, is named."""
    with np.load(file, allow_pickle=False) as arrays:
        images = [arrays[name] for name in arrays.files if arrays[name].ndim == 4 and arrays[name].dtype == np.uint8]
    if len(images) != 1 or images[0].shape[3] not in (1, 3):
        raise TacitError(f"{file} holds {len(images)} arrays of images (uint8, N × height × width × 1 or 3); give one.")
    pixels, read = images[0], [whole(one) for one in lists]
    found, marks = joined(read), marks_of(lists)
    declared = None if marks is None else np.repeat(marks, [len(part) for part in read])
    place = np.array([-1 if cell is None else int(cell) for cell in found.columns[which.image]])
    captions, many = captions_of(found, which), len(pixels)
    strange = sorted({int(one) for one in place if not 0 <= one < many})
    order = [*dict.fromkeys(one for one in place.tolist() if 0 <= one < many)]
    rest = sorted(set(range(many)) - set(order))
    rows: dict[int, list[int]] = {}
    for row, one in enumerate(place.tolist()):
        rows.setdefault(one, []).append(row)
    named = [*order, *strange]
    keep = np.array([rows[one][0] for one in named])
    own = _longer(_told(found, which, keep, declared, source), len(rest))
    grouped = [[text for row in rows[one] for text in captions[row]] for one in named] + [[] for _ in rest]
    wrong = {len(named) + i: f"no row of {_named(lists)} names it" for i in range(len(rest))}
    wrong |= {len(order) + i: f"{file.name} has no image {one}: it holds {many:,}" for i, one in enumerate(strange)}
    for i in range(len(order), len(named)):
        grouped[i] = []  # captions without an image
    at = np.array([*order, *([0] * len(strange)), *rest], np.int64)
    ids = [f"{one:05d}" for one in (*order, *strange, *rest)]
    labels = {name: own[name] for name in ("labels", "classes", "splits")}
    notes = {"images": f"the array of {file.name}, by {which.image!r}", **_notes(lists, which)}
    return captioned(ImageArrays(source, pixels, at, ids, **labels), grouped, wrong, {}, notes)


def _told(found: Listed, which: Roles, keep: np.ndarray, declared: np.ndarray | None, source: str) -> dict[str, Any]:
    """Labels, classes, splits and what is said of them, of the rows `keep`."""
    labels, classes, column = labels_of(found, which, keep, source)
    splits = splits_of(found, keep, source) if declared is None else declared[keep]
    return {"labels": labels, "classes": classes, "splits": splits, "notes": {"labels": f"column {column!r}"} if column else {}}


def _longer(own: Mapping[str, Any], more: int) -> dict[str, Any]:
    """The same with so many samples more, of which nothing is known: without a label, in the first split."""
    labels, splits = own["labels"], own["splits"]
    labels = labels if labels is None else np.concatenate([labels, np.full(more, -1)])
    splits = splits if splits is None else np.concatenate([splits, np.full(more, "train")])
    return {**own, "labels": labels, "splits": splits}


def _unnamed(folder: Path, root: Path, paths: Sequence[str]) -> list[str]:
    """The images below a folder that no path names, as paths from `root`."""
    known = {(root / path).resolve() for path in paths}
    inside = (folder / (prefix + name) for prefix, names in walk(folder) for name in names if not name.startswith("."))
    return sorted(
        str(file.relative_to(root)) if file.is_relative_to(root) else str(file.absolute())
        for file in inside
        if file.suffix.lower() in SUFFIXES and file.resolve() not in known
    )


def _root(folder: Path, paths: Sequence[str]) -> Path:
    """The folder that paths are below: the list's, else one beside it."""
    below = [folder, *sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))]
    return next((root for root in below if any((root / path).is_file() for path in paths[:TRIED])), folder)


def _by_place(file: Path, which: Roles) -> bool:
    """Whether a list names images by their rows in an array."""
    found = head(file)
    return found is not None and not any(isinstance(cell, str) and "." in cell for cell in found.columns[which.image])


def _notes(files: Sequence[Path], which: Roles) -> dict[str, str]:
    columns = ", ".join(repr(name) for name in which.captions)
    return {"written in": f"column{'s' if len(which.captions) > 1 else ''} {columns} of {_named(files)}"}


def _named(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} lists ({files[0].name}, …)"


def of_pair(images: Samples, texts: Sequence[str] | Sequence[Sequence[str]]) -> Pairs:
    """Images in memory with their captions: a text for each, or several."""
    if len(images) != len(texts):
        raise TacitError(f"{len(images)} images came with {len(texts)} captions; give each image one text, or a list of texts.")
    return captioned(images, [[own] if isinstance(own, str) else list(own) for own in texts], {}, {}, {})
