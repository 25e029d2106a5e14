"""What a folder of images says by its shape: which files are images, their classes and their splits."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.data.decoding import SUFFIXES
from tacit.errors import TacitError

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


class Scan(NamedTuple):
    """The images below a folder in the order of their ids, and what else lies there."""

    ids: list[str]  # the path below the folder, with forward slashes
    labels: np.ndarray | None  # int64; None where there are no class folders, −1 for what lies outside of them
    classes: tuple[str, ...]
    splits: np.ndarray | None
    ignored: Mapping[str, int]  # suffix -> how many files that are no images; ".*" for hidden ones


def scan(folder: Path) -> Scan:
    """Read a folder's listing, and no file of it.

    Folders train, val (valid, validation) and test are splits where nothing else holds images, or where train stands
    beside one of the others; then what lies outside of the splits is ignored. A class is the name of the first folder
    (below the split): deeper ones only group files. Hidden files and folders are ignored, links to folders followed once.
    """
    ids, ignored = _listing(folder)
    if not ids:
        raise TacitError(_nothing(folder, ignored))
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


def _listing(folder: Path) -> tuple[list[str], Counter[str]]:
    """The image files below a folder, sorted, as paths relative to it; and the others, counted by suffix."""
    ids: list[str] = []
    ignored: Counter[str] = Counter()
    visited = set()
    for where, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(where)) in visited:  # a link back up
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(where).relative_to(folder).as_posix()
        prefix = "" if below == "." else below + "/"
        for name in files:
            suffix = ".*" if name.startswith(".") else os.path.splitext(name)[1].lower()  # noqa: PTH122  a Path per file is slow
            if suffix in SUFFIXES:
                ids.append(prefix + name)
            else:
                ignored[suffix] += 1
    return sorted(ids), ignored


def _nothing(folder: Path, ignored: Mapping[str, int]) -> str:
    if not ignored:
        return f"{folder} is empty; a folder with images was expected: check the path."
    others = ", ".join(suffix or "no suffix" for suffix in sorted(ignored)[:5])
    return (
        f"{folder} holds {sum(ignored.values())} files ({others}) and no image; "
        f"give a folder with files such as {', '.join(sorted(SUFFIXES)[:5])}, an .npz or an .npy."
    )
