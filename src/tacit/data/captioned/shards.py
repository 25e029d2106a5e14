"""Tar shards whose members are images and captions of one stem: 0001.jpg with 0001.txt, or with a caption in 0001.json."""

import json
import tarfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tacit.data.captioned.captions import captioned
from tacit.data.captioned.lists import CAPTIONS
from tacit.data.decoding import SUFFIXES, Unreadable, at_once
from tacit.data.folders import splits_of
from tacit.data.images import EncodedImages
from tacit.data.labels import numbered, told_apart
from tacit.data.pairs import Pairs
from tacit.data.shards import Members, index_of, names_of, part_of
from tacit.data.text.files import decoded
from tacit.errors import TacitError

TEXTS = (".txt", ".caption", ".text")
LOOKED_AT = 200  # members by which a shard is told


@dataclass(frozen=True, eq=False)
class SomeMembers(Members):
    """Members of which some are not there: a caption lies in a shard and its image does not (place −1)."""

    def content(self, row: int) -> bytes:
        if self.offset[row] < 0:
            raise Unreadable(f"{self.shards[self.shard[row]].name} holds its caption and no image")
        return super().content(row)


def holds_captions(file: Path) -> bool:
    """Whether texts lie beside images at the beginning of a shard, a quarter of its members or more, and no classes do: images
    with classes are opened as images unless the user says that they are pairs."""
    try:
        with tarfile.open(file, "r:") as archive:
            names = [member.name.lower() for _, member in zip(range(LOOKED_AT), archive)]
    except (tarfile.TarError, OSError):
        return False
    if not any(name.endswith(tuple(SUFFIXES)) for name in names):
        return False
    texts = [name for name in names if name.endswith(TEXTS)]
    written = [name for name in names if name.endswith(".json")] if not texts else []
    if written:
        read = [_captions(".json", part_of(file, *place)) for place in _places(file, 4, (".json",))]
        written = written if any(own for own, _ in read) else []
    return 4 * len(texts or written) >= len(names) > 0 and not any(name.endswith(".cls") for name in names)


def from_captioned_shards(files: Sequence[Path], source: str) -> Pairs:
    """Pairs of tar files by their headers; ids are shard/stem, `.cls` is the label, names such as train-000.tar splits.

    An image without a caption, and a caption without an image, is a sample that cannot be read.
    """
    indices = at_once(lambda file: index_of(file, source), files, files)
    ids: list[str] = []
    captions: list[list[str | None]] = []
    wrong: dict[int, str] = {}
    labels: list[str] = []
    places: list[tuple[int, int, int]] = []
    counts = []
    for number, (file, name, index) in enumerate(zip(files, names_of(files), indices)):
        stems = [*index.images, *(stem for stem in index.texts if stem not in index.images)]
        for stem in stems:
            places.append((number, *index.images.get(stem, (-1, 0))))
            own: list[str | None] = []
            why = f"{file.name} holds no {stem}.txt"
            for extension, place in sorted(index.texts.get(stem, {}).items(), key=lambda one: one[0] == ".json"):
                if not own:  # img2dataset writes the caption into both
                    own, why = _captions(extension, part_of(file, *place))
            if not own:
                wrong[len(ids)] = why
            ids.append(f"{name}/{stem}")
            captions.append(own)
            labels.append(index.classes.get(stem, ""))
        counts.append(len(stems))
    if not ids:
        raise TacitError(f"{source} holds no image with a caption; give tar files with members such as 0001.jpg and 0001.txt.")
    shard, offset, size = np.array(places, np.int64).T
    store, marks = SomeMembers(list(files), shard.astype(np.int32), offset, size), splits_of(files)
    ignored = sum((Counter({k: v for k, v in one.ignored.items() if k not in (*TEXTS, ".json")}) for one in indices), Counter())
    own_labels: dict[str, Any] = {}
    if any(labels):
        own_labels["labels"], own_labels["classes"] = numbered(told_apart(labels), source)
    splits = None if marks is None else np.repeat(marks, counts)
    images = EncodedImages.of(source, store, ids, splits=splits, ignored=dict(ignored), **own_labels)
    return captioned(images, captions, wrong, {}, {"shards": f"{len(files):,}"})


def _captions(extension: str, data: bytes) -> tuple[list[str | None], str]:
    """What a member says, and why where it says nothing: of a text each line, of JSON its captions."""
    text, why = decoded(data)
    if text is None:
        return [], f"its caption cannot be read: {why}"
    if extension != ".json":
        return list(text.splitlines()) or [text], "its caption is empty"
    try:
        said = json.loads(text)
    except ValueError:
        return [], "its .json cannot be read"
    found = said if isinstance(said, dict) else {}
    named = [value for name, value in found.items() if CAPTIONS.fullmatch(name.lower())]
    every = [one for value in named for one in (value if isinstance(value, list) else [value])]
    return [one for one in every if isinstance(one, str)], "its .json holds no caption"


def _places(file: Path, most: int, suffixes: tuple[str, ...]) -> list[tuple[int, int]]:
    with tarfile.open(file, "r:") as archive:
        found = [
            (one.offset_data, one.size) for _, one in zip(range(LOOKED_AT), archive) if one.name.lower().endswith(suffixes)
        ]
    return found[:most]
