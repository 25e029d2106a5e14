"""The text format of the UCR and UEA archives, .ts: a header, then one series per line, its channels parted by colons."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tacit.data.labels import numbered
from tacit.data.series.samples import SeriesSamples, cut
from tacit.data.tabular.files import parts_of
from tacit.errors import TacitError

START = 1 << 16  # bytes by which a file is told


def is_archive(file: Path) -> bool:
    """Whether a file ends in .ts and has the header of these archives: other things end so too."""
    if file.suffix.lower() != ".ts" or not file.is_file():
        return False
    with file.open("rb") as opened:
        start = opened.read(START).lower()
    return b"@problemname" in start or b"@data" in start


def archives_in(folder: Path) -> list[Path]:
    """The .ts files of a folder."""
    return sorted(file for file in folder.iterdir() if is_archive(file))


def open_archives(files: Sequence[Path], source: str) -> SeriesSamples:
    """One .ts, or several that are named for splits, as X_TRAIN.ts and X_TEST.ts are."""
    marks = parts_of(files)
    if len(files) > 1 and marks is None:
        raise TacitError(f"{source} holds {len(files)} .ts files that are not named for splits; give one of them.")
    rows: list[np.ndarray] = []
    labels: list[str] = []
    ids: list[str] = []
    counts = []
    for number, file in enumerate(files):
        before = len(rows)
        for row, label in _lines(file):
            if rows and row.shape[1] != rows[0].shape[1]:
                raise TacitError(
                    f"Series {len(rows) - before} of {file.name} has {row.shape[1]} channels and the first {rows[0].shape[1]}; "
                    "give as many of each."
                )
            ids.append(f"{marks[number]}/{len(rows) - before:05d}" if marks else f"{len(rows):05d}")
            rows.append(row)
            labels.append(label)
        counts.append(len(rows) - before)
    if not rows:
        raise TacitError(f"{source} holds no series below @data; give one per line.")
    given = any(labels)
    told, classes = numbered(np.array(labels), source) if given else (None, ())
    splits = np.repeat(marks, counts) if marks else None
    lengths = np.array([len(row) for row in rows])
    samples = SeriesSamples.of(source, np.concatenate(rows), lengths, ids, labels=told, classes=classes, splits=splits)
    return cut(samples)


def _lines(file: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Each series of a file, length × channels with NaN where there is a question mark, and its label ("": none)."""
    header: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8") as opened:
            inside = False
            for number, line in enumerate(map(str.strip, opened), 1):
                if not line or line.startswith("#"):
                    continue
                if inside:
                    yield _series(line, header, f"Line {number} of {file.name}")
                elif line.lower() == "@data":
                    inside = True
                elif line.startswith("@"):
                    name, _, value = line[1:].partition(" ")
                    header[name.lower()] = value.strip().lower()
                    if header.get("timestamps") == "true":
                        raise TacitError(f"{file.name} has time stamps (@timeStamps true); write its values alone.")
    except UnicodeDecodeError as error:
        raise TacitError(f"{file.name} is no text in UTF-8 ({error}); write it again.") from None


def _series(line: str, header: dict[str, str], where: str) -> tuple[np.ndarray, str]:
    fields = line.split(":")
    labelled = header.get("classlabel", "").startswith("true") or header.get("targetlabel", "").startswith("true")
    label = fields.pop().strip() if labelled and len(fields) > 1 else ""
    try:
        channels = [
            np.array([np.nan if cell.strip() in ("?", "", "NaN", "nan") else float(cell) for cell in f.split(",")], np.float32)
            for f in fields
        ]
    except ValueError as error:
        raise TacitError(f"{where} holds what is no number ({error}); write a number, or ? where a value is missing.") from None
    longest = max(map(len, channels))
    block = np.full((longest, len(channels)), np.nan, np.float32)  # channels of one series may be of unequal length too
    for place, channel in enumerate(channels):
        block[: len(channel), place] = channel
    return block, "" if header.get("targetlabel", "").startswith("true") else label
