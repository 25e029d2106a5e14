"""Whether a file that is there may be replaced: what a command wrote it may write anew, and nothing else."""

import csv
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tacit.errors import TacitError


def refuse_other(path: Path, what: str, ours: Callable[[list[str]], bool]) -> None:
    """Refuse a table that is there, a .parquet, .csv or .tsv, unless its columns are `ours`; an empty file loses nothing."""
    if path.exists() and (path.is_dir() or path.stat().st_size) and not ours(_columns(path)):
        raise not_ours(path, what)


def not_ours(path: Path, what: str) -> TacitError:
    return TacitError(f"{path} is there and holds no {what}; give another name or move it away.")


def _columns(file: Path) -> list[str]:
    """The names in a table's head, none where it has none that can be read."""
    try:
        if file.suffix == ".parquet":
            return pq.read_schema(file).names
        with file.open(newline="", encoding="utf-8-sig") as text:  # Excel begins with a mark
            return next(csv.reader(text, delimiter="\t" if file.suffix == ".tsv" else ","), [])
    except (pa.ArrowException, OSError, ValueError, csv.Error):
        return []
