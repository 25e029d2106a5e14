"""Folders of videos: files of them, or folders of frames, and how the latter are told from class folders of images."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from tacit.data import decoding as pictures
from tacit.data.decoding import GREY_MODES, Unreadable
from tacit.data.folders import Files, Scan, scan, walk
from tacit.data.video import decoding
from tacit.data.video.decoding import Header

LOOKED_INTO = 6  # folders that are looked into to tell frames from images of a class
FEWEST = 8  # frames that such a folder must hold
NEARER = 0.75  # how much less neighbouring frames differ than frames far apart
NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True, eq=False)
class VideoFiles(Files):
    """A file for each video; their headers are kept once they were read."""

    headers: dict[int, Header] = field(default_factory=dict)

    def header(self, row: int) -> Header:
        if row not in self.headers:
            self.headers[row] = decoding.header(self.content(row))
        return self.headers[row]

    def frames(self, row: int, places: np.ndarray, side: int, channels: int) -> np.ndarray:
        return decoding.frames(self.content(row), places, side, channels)

    def digest(self, row: int) -> bytes:
        return self.content(row).read_bytes()


@dataclass(frozen=True, eq=False)
class FrameFolders(Files):
    """A folder of encoded images for each video, in the order of the numbers in their names."""

    listed: Mapping[str, Sequence[str]]  # the folder's id -> the names of its frames below the root
    headers: dict[int, Header] = field(default_factory=dict)

    def header(self, row: int) -> Header:
        if row not in self.headers:
            names = self.listed[self.names[row]]
            first = pictures.header(self.root / names[0])
            for name in {names[0], names[-1]}:
                pictures.decode(self.root / name, 64, 1)  # as of a file, the first and the last must be there
            channels = 1 if first.mode in GREY_MODES else 3
            self.headers[row] = Header(len(names), first.height, first.width, 0.0, channels, f"frames/{first.format}")
        return self.headers[row]

    def frames(self, row: int, places: np.ndarray, side: int, channels: int) -> np.ndarray:
        names = self.listed[self.names[row]]
        wanted, where = np.unique(places, return_inverse=True)
        found = [pictures.decode(self.root / names[place], side, channels).pixels for place in wanted]
        odd = [f"{names[place]} {shape}" for place, one in zip(wanted, found) if (shape := one.shape) != found[0].shape]
        if odd:
            raise Unreadable(f"its frames differ in size ({names[wanted[0]]} {found[0].shape}, {odd[0]})")
        return np.stack(found)[where.reshape(-1)]

    def weight(self, rows: Sequence[int]) -> int:
        return sum((self.root / name).stat().st_size for row in rows for name in self.listed[self.names[row]])

    def digest(self, row: int) -> bytes:
        return b"".join((self.root / name).read_bytes() for name in self.listed[self.names[row]])


def scan_frames(folder: Path) -> tuple[Scan, Mapping[str, Sequence[str]]]:
    """A listing in which every folder that holds images is a video, and the frames of each.

    Splits as in `folders.scan`; where videos lie in folders of their own (below the split), the first of these is the class.
    """
    ids, _, _, splits, ignored = scan(folder)
    listed: dict[str, list[str]] = {}
    part: dict[str, str] = {}
    for place, name in enumerate(ids):
        where = name.rpartition("/")[0] or "."
        listed.setdefault(where, []).append(name)
        if splits is not None:
            part[where] = splits[place]
    ordered = {where: sorted(names, key=_number) for where, names in listed.items()}
    videos = sorted(ordered)
    above = [video.split("/")[splits is not None : -1] for video in videos]
    classes = tuple(sorted({folders[0] for folders in above if folders}))
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[folders[0]] if folders else -1 for folders in above], np.int64) if classes else None
    marks = None if splits is None else np.array([part[video] for video in videos])
    return Scan(videos, labels, classes, marks, ignored), ordered


def are_frames(folder: Path) -> bool:
    """Whether folders of images hold frames of a video each, and not images of a class each.

    Of the first folders with images every one must hold 8 or more, of one size, numbered from 0 or 1 without a gap, and
    neighbours must differ clearly less than images far apart.
    """
    found = ((prefix, names) for prefix, files in walk(folder) if (names := _images(files)))
    several = list(islice(found, LOOKED_INTO))
    return len(several) > 1 and all(prefix and _is_sequence(folder / prefix, names) for prefix, names in several)


def _images(files: Sequence[str]) -> list[str]:
    return [name for name in files if Path(name).suffix.lower() in pictures.SUFFIXES and not name.startswith(".")]


def _is_sequence(folder: Path, names: Sequence[str]) -> bool:
    names = sorted(names, key=_number)
    matches = [NUMBERED.fullmatch(Path(name).stem) for name in names]
    if len(names) < FEWEST or None in matches or len({match[1] for match in matches if match}) > 1:
        return False
    numbers = [int(match[2]) for match in matches if match]
    if numbers[0] > 1 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return False
    some = names[: 2 * FEWEST]
    try:
        if len({pictures.header(folder / name)[2:] for name in some}) > 1:
            return False
        pixels = np.stack([pictures.decode(folder / name, 32, 1).pixels for name in some]).astype(np.float32)
    except Unreadable:
        return False
    half = len(some) // 2
    near, far = (float(np.abs(pixels[step:] - pixels[:-step]).mean()) for step in (1, half))
    return near < NEARER * far


def _number(name: str) -> tuple[str, int, str]:
    """What frames are sorted by: the last number of the name, so that 10 comes after 9."""
    stem = Path(name).stem
    digits = re.search(r"(\d+)(?!.*\d)", stem)
    return (stem[: digits.start()], int(digits[1]), name) if digits else (stem, -1, name)
