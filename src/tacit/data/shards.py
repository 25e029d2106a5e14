"""Tar shards as WebDataset writes them: members of one stem belong together, and are read by their place in the file."""

import os
import re
import tarfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.data.decoding import SUFFIXES, Unreadable, at_once
from tacit.data.folders import splits_of
from tacit.data.images import EncodedImages
from tacit.data.labels import numbered, told_apart
from tacit.errors import TacitError

BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
LARGEST = 2**30  # bytes that one member may take
LOST = "what came after the cut is lost"
TEXTS = (".txt", ".caption", ".text", ".json")  # what captions of images may lie in
UNENDED = "ends without an end mark; it may be cut"  # or its writer was never closed


@dataclass(frozen=True, eq=False)
class Members:
    """Members of tar files: the shard, the place in it and the size of each."""

    shards: Sequence[Path]
    shard: np.ndarray  # int32
    offset: np.ndarray  # int64
    size: np.ndarray  # int64

    def content(self, row: int) -> bytes:
        shard, size = self.shards[self.shard[row]], int(self.size[row])
        if size > LARGEST:
            raise Unreadable(f"it claims {size / 2**30:.1f} GiB")
        try:
            read = part_of(shard, int(self.offset[row]), size)
        except OSError as error:
            raise Unreadable(f"{shard.name}: {error.strerror}") from None
        if len(read) < size:
            raise Unreadable(f"{shard.name} is cut in the middle of it")
        return read

    def path(self, row: int) -> str | None:
        return None

    def weight(self, rows: Sequence[int]) -> int:
        return int(self.size[np.asarray(rows, np.int64)].sum())


class _Index(NamedTuple):
    """What the headers of one shard say."""

    images: dict[str, tuple[int, int]]  # stem -> offset and size of its image
    classes: dict[str, str]  # stem -> what its .cls holds
    texts: dict[str, dict[str, tuple[int, int]]]  # stem -> suffix -> offset and size of what may hold its captions
    ignored: Counter[str]
    cut: str  # LOST, UNENDED, or "" where the shard ends as it should


def braced(source: str) -> list[Path] | None:
    """The files that shard-{000..009}.tar stands for; None where there are no braces."""
    match = BRACES.search(source)
    if match is None:
        return None
    first, last = match.groups()
    numbers = range(int(first), int(last) + 1)
    files = [Path(source[: match.start()] + f"{n:0{len(first)}d}" + source[match.end() :]).expanduser() for n in numbers]
    missing = next((file for file in files if not file.is_file()), None)
    if not files or missing is not None:
        raise TacitError(f"{source} stands for {len(files)} files and {missing or 'none'} is not there; check the numbers.")
    return files


def from_shards(files: Sequence[Path], source: str) -> EncodedImages:
    """The images of tar files by their headers; ids are shard/stem, `.cls` is the label, names such as train-000.tar splits.

    Of a file that is cut, what lies before the cut is kept, and the image in which it is cut is a corrupt sample.
    """
    indices = at_once(lambda file: index_of(file, source), files, files)
    names = names_of(files)
    ids = [f"{name}/{stem}" for name, index in zip(names, indices) for stem in index.images]
    ignored = sum((index.ignored for index in indices), Counter())
    if not ids:
        others = ", ".join(sorted(ignored)[:5]) or "nothing"
        raise TacitError(f"{source} holds no image but {others}; give tar files whose members are images such as 0001.jpg.")
    counts = [len(index.images) for index in indices]
    places = np.array([place for index in indices for place in index.images.values()], np.int64)
    store = Members(list(files), np.repeat(np.arange(len(files), dtype=np.int32), counts), places[:, 0], places[:, 1])
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    if any(index.classes for index in indices):
        labels, classes = numbered(told_apart([i.classes.get(stem, "") for i in indices for stem in i.images]), source)
    marks = splits_of(files)
    notes = {"shards": f"{len(files):,}"}
    if cut := [_cut(files, indices, how) for how in (LOST, UNENDED) if any(index.cut == how for index in indices)]:
        notes["cut"] = "; ".join(cut)
    own = {"labels": labels, "classes": classes, "ignored": dict(ignored), "notes": notes}
    return EncodedImages.of(source, store, ids, splits=None if marks is None else np.repeat(marks, counts), **own)


def _cut(files: Sequence[Path], indices: Sequence[_Index], how: str) -> str:
    """The first few of the shards that end so, and how."""
    return f"{', '.join([file.name for file, index in zip(files, indices) if index.cut == how][:5])}: {how}"


def index_of(file: Path, source: str) -> _Index:
    found = _Index({}, {}, {}, Counter(), "")
    cut = False
    try:
        with tarfile.open(file, "r:") as archive:
            try:
                while (member := archive.next()) is not None:
                    if member.isreg() and not member.issparse():
                        _enter(member, file, found)
            except tarfile.ReadError:  # the header after the last member lies beyond the end
                cut = True
            tail = part_of(file, archive.offset, tarfile.BLOCKSIZE)
    except (tarfile.TarError, OSError) as error:
        hint = "unpack it with gunzip first" if file.suffix.lower() in (".gz", ".tgz") else "write it again"
        where = source if Path(source).name == file.name else f"{file.name} of {source}"
        raise TacitError(f"{where} is no readable tar file ({error}); {hint}.") from None
    if cut or any(tail) or 0 < len(tail) < tarfile.BLOCKSIZE:  # a header that is not whole is no end either
        return found._replace(cut=LOST)
    return found if tail else found._replace(cut=UNENDED)


def _enter(member: tarfile.TarInfo, file: Path, found: _Index) -> None:
    """Take a member into the index: an image, a label, or something else."""
    folder, _, base = member.name.removeprefix("./").rpartition("/")
    name, dot, extension = base.partition(".")
    stem, extension = f"{folder}/{name}" if folder else name, dot + extension.lower()
    suffix = "." + extension.rpartition(".")[2]
    if not name:
        found.ignored[".*"] += 1
    elif suffix in SUFFIXES:
        if stem in found.images:
            found.ignored["further images of a sample"] += 1
        if stem not in found.images or suffix == extension:  # before a second image such as 0001.mask.png
            found.images[stem] = (member.offset_data, member.size)
    elif extension == ".cls":
        found.classes[stem] = part_of(file, member.offset_data, min(member.size, 4096)).decode("utf-8", "replace").strip()
    else:
        found.ignored[extension] += 1
        if extension in TEXTS:
            found.texts.setdefault(stem, {})[extension] = (member.offset_data, member.size)


def part_of(file: Path, offset: int, size: int) -> bytes:
    """So many bytes from a place in a file, fewer at its end; any number of threads may do so at once."""
    handle = os.open(file, os.O_RDONLY)
    try:
        parts = []
        while size > 0 and (part := os.pread(handle, size, offset)):
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def names_of(files: Sequence[Path]) -> list[str]:
    """What ids begin with: the file's name, with its folder where files lie in several."""
    shared = Path(os.path.commonpath([file.parent for file in files]))
    return [file.relative_to(shared).as_posix().removesuffix(".tar") for file in files]
