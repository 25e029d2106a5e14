"""Reading a table of vectors, in memory that does not grow with their number."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tacit.embeddings.places import SUFFIX, Address, database, place
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.rows import COLUMNS, Row, Rows, schema, vectors_of
from tacit.embeddings.spelling import distances
from tacit.errors import TacitError

BATCH = 4096  # rows read at a time
UNREACHED = re.compile(
    r"RetryError|Generic (S3|GCS|MicrosoftAzure)|ObjectStore|No such bucket|NoSuchBucket|AccessDenied|credential", re.I
)
WHOLE = "whole"  # Lance's tag of the version that is read; what lies behind it was broken off, or is being written
AFTER = WHOLE + "-after-"  # of the next that was whole, and with its number of the one before: those between never were


class Missing(TacitError):
    """There is no table."""


class Unfinished(TacitError):
    """What began to write a table has not come to its end."""


def open_table(path: Path | str | Address, version: int = 0) -> "Table":
    """Open a table that `write` made, at a path or an address, as it is or as an earlier version of it was; what is no such
    table, or no longer whole, is a TacitError."""
    path = place(path)
    with reading(path):
        lance, _ = latest(path)
        last = whole_version(lance)
        if not last:
            raise Unfinished(
                f"{path} is not whole yet, for what writes it has not come to its end; wait for that, or start the same "
                "command again if it was broken off."
            )
        if version:
            versions = [entry["version"] for entry in whole_versions(lance)]
            if version not in versions:
                raise TacitError(f"{path} has no version {version}; it has {', '.join(map(str, versions))}.")
        lance.checkout(version or last)
        table = Table(path, lance, Provenance.from_metadata(lance.schema.metadata), lance.count_rows())
        if not len(table):
            raise ValueError("it has no rows")
        table.at(np.array([0, len(table) - 1]))  # the ends are there: nothing was cut off
    return table


def there(path: Path | Address) -> "Table | None":
    """The table at this place, if one is there that is whole."""
    if bare(path):
        return None
    try:
        return open_table(path)
    except (Missing, Unfinished):
        return None


def bare(path: Path | Address) -> bool:
    """Whether a folder holds no file: what a kill leaves before the first one is written."""
    return isinstance(path, Path) and path.is_dir() and not any(file.is_file() for file in path.rglob("*"))


def latest(path: Path | Address) -> tuple[Any, Provenance]:
    """LanceDB's table at its last version, whole or not, and the provenance of that; `Missing` where there is none."""
    if isinstance(path, Path):
        if path.is_file():
            raise TacitError(f"{path} is a file, and a table is a folder; give the table that embedding wrote.")
        if not path.is_dir():
            beside = sorted(other.name for other in path.parent.glob("[!.]*" + SUFFIX))
            hint = f"there are {', '.join(beside[:5])} beside it" if beside else f"there is no table in {path.parent} at all"
            raise Missing(f"There is no table {path}, and {hint}; embed some data first or correct the path.")
    with reading(path):
        try:
            lance = database(path).open_table(path.stem)
        except ValueError as error:
            if isinstance(path, Address) and "was not found" in str(error):
                raise Missing(f"There is no table {path}; embed some data first or correct the address.") from error
            raise
        made = Provenance.from_metadata(lance.schema.metadata)
        # there may be more; cells are lacking where a version wrote that kept none
        if any(field not in lance.schema for field in schema(made) if field.name != "cells"):
            raise ValueError(f"its columns are not {', '.join(COLUMNS)} of width {made.dim}")
        return lance, made


def whole_version(lance: Any) -> int:
    """The version that is read, 0 where none is whole yet."""
    return lance.tags.list().get(WHOLE, {}).get("version", 0)


def whole_versions(lance: Any) -> list[dict[str, Any]]:
    """What Lance says of the versions that could once be read, the oldest first."""
    tags = {name: tag["version"] for name, tag in lance.tags.list().items()}
    gaps = [(int(name.removeprefix(AFTER)), end) for name, end in tags.items() if name.startswith(AFTER)]
    return [
        entry
        for entry in lance.list_versions()
        if entry["version"] <= tags.get(WHOLE, 0)
        and entry["metadata"]["total_rows"] != "0"  # one that begins a table
        and not any(before < entry["version"] < end for before, end in gaps)
    ]


def mark_of(lance: Any, version: int) -> str:
    """Another for every state of a table: its version, and when that was written, which tells it from the version of the same
    number of a table that was here before."""
    written = next((entry["timestamp"] for entry in lance.list_versions() if entry["version"] == version), None)
    return f"{version} {written and written.astimezone(UTC).isoformat()}"  # which Lance says in the time of the place


class Table:
    """Vectors on disk with ids, paths, labels, thumbnails and provenance; made by `open_table`.

    It shows the table as it was when opened. Rows are counted 0…n−1 in the order in which they were written. `lance` is
    LanceDB's own object, for what this one cannot do.
    """

    def __init__(self, path: Path | Address, lance: Any, provenance: Provenance, count: int):
        self.path, self.provenance, self.lance = path, provenance, lance
        self._count = count
        self.held: np.ndarray | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def version(self) -> int:
        """The number of the last change that it shows."""
        return self.lance.version

    @property
    def mark(self) -> str:
        """Another for every state of a table (`mark_of`)."""
        return mark_of(self.lance, self.version)

    def __str__(self) -> str:
        made = self.provenance
        return f"{self.path}: {len(self)} {made.kind} vectors of {made.dim} numbers, compared by {made.similarity}"

    def stream(self, batch: int = BATCH, columns: Sequence[str] = COLUMNS) -> Iterator[pa.RecordBatch]:
        """All rows in order, at most `batch` at a time, and only these columns: read when asked for, never ahead."""
        for start in range(0, len(self), batch):
            with reading(self.path):
                # a scan would read far ahead of a slow consumer; a slice is found without reading what lies before it
                part = self.lance.search().select(list(columns)).offset(start).limit(min(batch, len(self) - start)).to_arrow()
                whole = part.combine_chunks().to_batches()
                for some in whole:
                    _check_numbers(some)
            yield from whole

    def ids(self) -> list[str]:
        """All ids, in order."""
        return [id for batch in self.stream(16 * BATCH, ("id",)) for id in batch.column("id").to_pylist()]

    def vectors(self, ids: Sequence[str] | None = None) -> np.ndarray:
        """All vectors in order, or those of these ids in theirs: float32, n × d."""
        if ids is not None:
            return vectors_of(self.at(self.positions(ids), ("vector",)))
        found = np.empty((len(self), self.provenance.dim), np.float32)
        start = 0
        for batch in self.stream(columns=("vector",)):
            found[start : start + len(batch)] = vectors_of(batch)
            start += len(batch)
        return found

    def rows(self, ids: Sequence[str]) -> Rows:
        """The rows of these ids, in their order; an id that is not there is a TacitError naming the nearest."""
        found = self.at(self.positions(ids))
        names = ("id", "path", "label", "split", "thumbnail")
        id, path, label, split, thumbnail = (found.column(name).to_pylist() for name in names)
        return Rows(id, path, label, vectors_of(found), thumbnail, splits=split)

    def row(self, id: str) -> Row:
        """The row of one id."""
        found = self.rows([id])
        return Row(id, found.paths[0], found.labels[0], found.vectors[0], found.thumbnails[0])

    def where(self, condition: str) -> np.ndarray:
        """The positions, in order, of the rows that meet a condition as SQL has it: `label = '3' AND split = 'train'`."""
        try:
            # in brackets, so that nothing may follow it
            found = self.lance.search().where(f"({condition})").select(["_rowoffset"]).limit(len(self)).to_arrow()
        except (RuntimeError, ValueError) as error:
            columns = ", ".join(name for name in self.lance.schema.names if name not in ("vector", "thumbnail"))
            raise TacitError(
                f"--where {condition!r} cannot be understood ({_why(error)}); write a condition as SQL has it on {columns}, "
                "such as \"label = '3'\"."
            ) from None
        return np.sort(found.column("_rowoffset").to_numpy().astype(np.int64))

    def hold(self) -> None:
        """Keep all vectors in memory from now on, n × d float32 in `held`: many searches then read them once."""
        if self.held is None:
            self.held = self.vectors()

    def find(self, ids: Sequence[str]) -> np.ndarray:
        """The positions of these ids, −1 for those that are not there: int64. One pass over the column of ids."""
        wanted, back = np.unique(np.array(ids, dtype=object), return_inverse=True)
        values = pa.array(wanted, pa.string())
        found, seen = np.full(len(wanted), -1), np.zeros(len(wanted), np.int64)
        start = 0
        for batch in self.stream(16 * BATCH, ("id",)):
            which = pc.fill_null(pc.index_in(batch.column("id"), value_set=values), -1).to_numpy(zero_copy_only=False)
            at = np.flatnonzero(which >= 0)
            seen += np.bincount(which[at], minlength=len(wanted))
            found[which[at]] = start + at
            start += len(batch)
        if (seen > 1).any():
            twice = wanted[int(seen.argmax())]
            raise TacitError(f"{self.path} holds the id {twice!r} {seen.max()} times; give every sample its own.")
        return found[back]

    def positions(self, ids: Sequence[str]) -> np.ndarray:
        """Like `find`, but an id that is not there is a TacitError naming the nearest."""
        found = self.find(ids)
        if (found < 0).any():
            missing = ids[int(np.flatnonzero(found < 0)[0])]
            raise TacitError(f"There is no id {missing!r} in {self.path}; the nearest is {self.nearest_id(missing)!r}.")
        return found

    def nearest_id(self, id: str) -> str:
        """The id that is spelt most like this one."""
        best, least = "", np.inf
        for batch in self.stream(BATCH, ("id",)):
            ids = batch.column("id").to_pylist()
            far = distances(id, ids)
            if far.min() < least:
                best, least = ids[int(far.argmin())], far.min()
        return best

    def at(self, positions: np.ndarray, columns: Sequence[str] = COLUMNS) -> pa.Table:
        """The rows at these positions, in their order and as often as they are named."""
        wanted, back = np.unique(positions, return_inverse=True)
        chosen = ["_rowoffset", *columns]
        with reading(self.path):
            parts = [
                self.lance.take_offsets(wanted[start : start + BATCH].tolist()).select(chosen).to_arrow()
                for start in range(0, max(len(wanted), 1), BATCH)
            ]
            found = pa.concat_tables(parts).sort_by("_rowoffset").drop_columns("_rowoffset").select(list(columns))
            if len(found) != len(wanted):
                raise ValueError(f"{len(wanted)} rows were asked for and {len(found)} came")
            _check_numbers(found)
        return found.take(pa.array(back))


def _check_numbers(rows: pa.RecordBatch | pa.Table) -> None:
    """None was written that is not finite: such a one says that the file was damaged since."""
    if "vector" not in rows.schema.names or not len(rows):
        return
    column = rows.column("vector")
    while pa.types.is_nested(column.type):
        column = pc.list_flatten(column)
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        numbers = chunk.to_numpy()
        if not np.isfinite(np.dot(numbers, numbers)) and not np.isfinite(numbers).all():  # the sum can overflow
            raise ValueError("vectors of it hold NaN or infinite numbers, and none such was written")


def mapped_array(file: Path) -> np.ndarray:
    """What a .npy file holds, mapped: no pickle, and no more memory than is looked at."""
    try:
        return np.lib.format.open_memmap(file, mode="r")
    except (ValueError, EOFError, OSError) as error:
        raise TacitError(f"{file} is no .npy file of numbers ({error}); save vectors with numpy.save.") from error


@contextmanager
def reading(path: Path | Address) -> Iterator[None]:
    """What Lance and Arrow say of a table that is not whole, in a sentence."""
    try:
        yield
    except TacitError:
        raise
    except Exception as error:
        # a panic of Lance's over bytes that it did not write has a class that cannot be imported
        if not isinstance(error, RuntimeError | ValueError | OSError) and type(error).__name__ != "RustPanic":
            raise
        if isinstance(path, Address) and UNREACHED.search(str(error)):
            raise TacitError(
                f"{path} cannot be reached ({brief(error)}); check the address, the keys of the environment and the network."
            ) from error
        raise TacitError(
            f"{path} is no whole table of Tacit's ({brief(error)}); "
            "if it was replaced just now, open it again, else embed the data again under another name."
        ) from error


def brief(error: Exception) -> str:
    """The first line of Lance's message, without the layers it came through and the line of source that raised it; of what a
    store answers, what the network or the store says."""
    line = (str(error) or type(error).__name__).splitlines()[0]
    line = re.sub(r"^((lance error|LanceError\(IO\)|Generic LocalFileSystem error): )+", "", line)
    if UNREACHED.search(line):
        said = re.search(r'message: "([^"]+)"|status: (\d+)|<Code>(\w+)</Code>', line)
        return next(filter(None, said.groups()), "") if said else line[:100]
    return re.sub(r", /\S+\.rs:\d+:\d+$", "", line)


def _why(error: Exception) -> str:
    """What of LanceDB's message on a condition concerns the condition."""
    line = re.sub(r"^((Invalid input|invalid SQL predicate|Schema error|SQL error)[:,] )+", "", brief(error))
    return line.split(". Valid fields")[0].strip()
