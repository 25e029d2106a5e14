"""Logs of who chose what and when, with what is known of the items; told apart by the names of their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tacit.errors import TacitError

USER, ITEM = (
    ("user", "userid", "user_id", "uid"),
    ("item", "itemid", "item_id", "movieid", "movie_id", "productid", "product_id"),
)
TIME, RATING = ("time", "timestamp", "ts", "date", "datetime"), ("rating", "score", "stars")


@dataclass(frozen=True, eq=False)
class Interactions:
    """One row per interaction, in the order of the file; users and items are numbered in the order of their names."""

    source: str
    user: np.ndarray  # int64
    item: np.ndarray  # int64
    time: np.ndarray  # float64
    rating: np.ndarray | None  # float64
    users: Sequence[str]
    items: Sequence[str]  # of the log and of the table of items
    about: Mapping[str, Sequence[str]] = field(default_factory=dict)  # column of the table of items -> a text for each item
    notes: Mapping[str, str] = field(default_factory=dict)  # what was understood

    def __len__(self) -> int:
        return len(self.user)

    def latest(self, share: float) -> np.ndarray:
        """Which rows are a user's latest, by time: bool. Of n interactions of a user floor(share · n) are; ties by row.

        So the test part of one user may be older than the training part of another.
        """
        if not 0 < share < 1:
            raise TacitError(f"The share of the latest interactions is {share}; give one between 0 and 1.")
        order = np.lexsort((np.arange(len(self)), self.time, self.user))
        counts = np.bincount(self.user, minlength=len(self.users))
        place = np.arange(len(self)) - np.repeat(np.cumsum(counts) - counts, counts)
        marks = np.empty(len(self), bool)
        marks[order] = place >= np.repeat(counts - np.floor(share * counts).astype(int), counts)
        return marks

    def since(self, share: float) -> np.ndarray:
        """Which rows are the latest share of all, by time: bool; of equal times all or none are."""
        if not 0 < share < 1:
            raise TacitError(f"The share of the latest interactions is {share}; give one between 0 and 1.")
        return self.time > np.quantile(self.time, 1 - share)


def open_interactions(source: str | Path) -> Interactions:
    """A log (.csv, .tsv or .parquet with columns for user, item and time, perhaps rating), or a folder with one and, if
    there is one, a table of items (a column of items and none of users).

    Raises TacitError where there is no log or more than one, a cell is empty, or a time is no number or date. A log that is not
    in the order of time is said to be so in `notes`; its rows stay where they are.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise TacitError(f"There is no {source}; give a log of interactions (.csv, .tsv, .parquet), or its folder.")
    files = [path] if path.is_file() else sorted(f for f in path.iterdir() if f.suffix.lower() in (".csv", ".tsv", ".parquet"))
    tables = {file: _table(file) for file in files}
    logs = [file for file, table in tables.items() if all(_column(table, names) for names in (USER, ITEM, TIME))]
    if len(logs) != 1:
        found = ", ".join(file.name for file in logs or files) or "nothing"
        raise TacitError(
            f"{source} holds {len(logs)} logs of interactions ({found}); give one table with columns such as user, item, time."
        )
    log = tables.pop(logs[0])
    user, item, time = (_whole(log, _column(log, names), str(source)) for names in (USER, ITEM, TIME))
    listed = [table for table in tables.values() if _column(table, ITEM) and not _column(table, USER)]
    named = _texts(listed[0], _column(listed[0], ITEM)) if listed else []
    users, user_number = np.unique(_texts(log, user), return_inverse=True)
    items, number = np.unique([*_texts(log, item), *named], return_inverse=True)
    when = _times(log, time, str(source))
    about = {}
    if listed:
        place = np.full(len(items), -1)
        place[number[len(log) :]] = np.arange(len(named))
        for name in (name for name in listed[0].column_names if name != _column(listed[0], ITEM)):
            texts = np.array([*_texts(listed[0], name), ""], object)  # the last for items that are not listed
            about[name] = texts[place].tolist()
    rating = _column(log, RATING)
    back = int((np.diff(when) < 0).sum())
    notes = {"columns": f"user {user!r}, item {item!r}, time {time!r}" + (f", rating {rating!r}" if rating else "")}
    if back:
        notes["order"] = (
            f"not that of time: {back:,} of {len(log):,} rows are earlier than the row before; they stay where they are"
        )
    values = None if not rating else np.asarray(log[rating].cast(pa.float64()).to_numpy())
    return Interactions(
        str(source), user_number, number[: len(log)], when, values, users.tolist(), items.tolist(), about, notes
    )


def _table(file: Path) -> pa.Table:
    try:
        if file.suffix.lower() == ".parquet":
            return pq.ParquetFile(file).read()
        delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
        return pa_csv.read_csv(file, parse_options=pa_csv.ParseOptions(delimiter=delimiter))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise TacitError(f"{file} is no readable table ({' '.join(str(error).split())[:100]}); write it again.") from None


def _column(table: pa.Table, names: Sequence[str]) -> str:
    """The first column so named, in any case; "" where there is none."""
    lower = {name.lower(): name for name in table.column_names}
    return next((lower[name] for name in names if name in lower), "")


def _whole(log: pa.Table, name: str, source: str) -> str:
    """The name of a column without empty cells."""
    if not len(log):
        raise TacitError(f"{source} lists no interaction; give a log with rows.")
    if empty := log[name].null_count:
        raise TacitError(f"{empty} of the {len(log)} rows of {source} have no {name}; fill them in, or take them out.")
    return name


def _texts(table: pa.Table, name: str) -> list[str]:
    return ["" if value is None else str(value) for value in table[name].to_pylist()]


def _times(log: pa.Table, name: str, source: str) -> np.ndarray:
    column = log[name]
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    try:
        times = column.cast(pa.float64()).to_numpy()
    except pa.ArrowException:
        raise TacitError(f"{name} of {source} is of {column.type}; give times as numbers or as dates.") from None
    if not np.isfinite(times).all():
        raise TacitError(f"{name} of {source} holds NaN or infinity; fill it in, or take these rows out.")
    return times
