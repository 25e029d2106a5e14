"""Writing a table of vectors: streamed, gone on with after a kill, and nothing that was there before is lost."""

import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import Full, Queue
from re import fullmatch
from time import monotonic
from typing import Any

import pyarrow as pa

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import SUFFIX, Table, brief, hidden, open_table, restore
from tacit.embeddings.rows import Rows, schema, to_batch
from tacit.errors import TacitError

SECONDS = 30.0  # between commits: what a kill can cost
FRAGMENTS = 32  # commits of a new table beyond which they are put together at its end
MERGED = 1 << 26  # bytes of rows that replace others at a time


@contextmanager
def sole_writer(out: Path | str) -> Iterator[Path]:
    """Nobody else writes the table `out` meanwhile; its path with links followed. A kill gives it free."""
    import fcntl

    out = _place(out)
    lock = out.with_name(f".{out.stem}.lock")
    while True:
        with _writing(out):
            file = lock.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise TacitError(f"{out} is being written by another process; wait for it or give another name.") from None
        with suppress(OSError):
            if lock.stat().st_ino == os.fstat(file.fileno()).st_ino:
                break
        file.close()  # its last holder has taken the file away meanwhile
    try:
        yield out
    finally:
        lock.unlink(missing_ok=True)
        file.close()


def begun(out: Path, provenance: Provenance) -> list[str]:
    """The ids of what was written of a table by this encoder from this source before that broke off: none where nothing was."""
    part = hidden(out, "part")
    try:
        unfinished = open_table(part)
    except TacitError:
        return []
    same = replace(unfinished.provenance, run=provenance.run, version=provenance.version) == provenance
    return unfinished.ids() if same else []


def write(
    out: Path | str,
    rows: Iterable[Rows],
    provenance: Provenance,
    *,
    total: int,
    overwrite: bool = False,
    go_on: bool = False,
) -> Table:
    """Write rows, as they come, into the table `out` (`photos.lance`, a folder) and open it; call it as `sole_writer`.

    Memory does not grow with the number of rows: two or three batches of them and what Lance gathers for a page (8 MB)
    of each column. `rows` is iterated in the caller's thread. `total` is the number of samples they come from; fewer
    rows may come, for the unreadable ones.

    A table of the same encoder that is already there is replaced with `overwrite`; anything else that is there is
    never touched. The new table grows in a hidden sibling, committed every half minute, and is renamed when it is whole,
    so that a kill, a full disk or an error in `rows` leaves what was there. With `go_on` the rows follow those that an
    earlier `write` left in the sibling (`begun` names them); else that one is cleared away. Rows that are refused clear it too.
    """
    out = _place(out)
    _check_replaceable(out, provenance, overwrite)
    if total < 1:
        raise TacitError(f"There is nothing to write into {out}: the source has no samples; check where it points.")
    part = hidden(out, "part")
    form = schema(provenance)
    if not go_on:
        _clear(part)
    with _writing(out):
        _check_space(out, total * provenance.dim * 4)
        table = _table(part, form)
    try:
        _store(out, table, (to_batch(some, form) for some in rows if some.ids))
        if not table.count_rows():
            raise TacitError(f"None of the {total} samples could be embedded, so {out} was not written; see why each failed.")
        with _writing(out):
            if table.version > FRAGMENTS:
                compact(table)
            _put(part, out)
    except Unwritable:  # a disk that is full may have space again
        raise
    except TacitError:
        _clear(part)
        raise
    finally:
        if part.exists() and not table.count_rows():
            _clear(part)
        restore(out)  # where the last rename failed
    return open_table(out)


def add(out: Path | str, rows: Iterable[Rows], *, renew: bool) -> Table:
    """Add rows to a table that is there, with `renew` in place of those of the same ids; call it as `sole_writer`.

    Rows come as in `write`; what was committed before a kill stays, and the same call again adds the rest. Without `renew`
    no id may be there already, which the caller sees to.
    """
    there = open_table(out)
    form = schema(there.provenance)
    batches = (to_batch(some, form) for some in rows if some.ids)
    if renew:
        for block in _blocks(batches):
            with _writing(there.path):
                merge = there.lance.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
                merge.execute(block)
    else:
        _store(there.path, there.lance, batches)
    return open_table(out)


def compact(lance: Any) -> None:
    """Put the pieces of LanceDB's table together; forget earlier versions and what no version names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="optimize")  # of other readers: the caller is the sole writer
        lance.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)


def _table(part: Path, form: pa.Schema) -> Any:
    """The growing table, made where there is none."""
    import lancedb

    return lancedb.connect(part.parent.absolute()).create_table(part.stem, schema=form, exist_ok=True)


def _store(out: Path, table: Any, batches: Iterator[pa.RecordBatch]) -> None:
    """Stream batches into a table, with a commit every SECONDS; what came before an error is committed too."""
    for batch in batches:
        _stretch(out, table, batch, batches)


def _stretch(out: Path, table: Any, first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> None:
    """Stream the first batch and those that follow within SECONDS into a table, as one commit.

    Lance pulls in a thread of its own, where `torch.no_grad` of the caller would not hold, Ctrl-C would not arrive and
    an exception would come back as text. So batches are made here and handed over one by one.
    """
    waiting: Queue[pa.RecordBatch | None] = Queue(maxsize=1)
    end = monotonic() + SECONDS

    def pulled() -> Iterator[pa.RecordBatch]:
        while (item := waiting.get()) is not None:
            yield item

    with ThreadPoolExecutor(1, "embeddings") as pool:
        writer = pool.submit(lambda: table.add(pa.RecordBatchReader.from_batches(first.schema, pulled())))

        def hand(item: pa.RecordBatch | None) -> None:
            while not writer.done():
                with suppress(Full):
                    return waiting.put(item, timeout=0.2)

        try:
            hand(first)
            while monotonic() < end and not writer.done() and (batch := next(rest, None)) is not None:
                hand(batch)
        finally:
            hand(None)
            with _writing(out):
                writer.result()


def _blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches gathered into tables of MERGED bytes."""
    gathered: list[pa.RecordBatch] = []
    for batch in batches:
        gathered.append(batch)
        if sum(some.nbytes for some in gathered) >= MERGED:
            yield pa.Table.from_batches(gathered)
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered)


class Unwritable(TacitError):
    """The place failed and not what was to be written there."""


def _place(out: Path | str) -> Path:
    """Where a table called so lies, links followed: what a link points at is replaced, not the link."""
    out = Path(out)
    out = out.resolve() if out.is_symlink() else out
    if out.suffix != SUFFIX or not fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", out.stem):
        raise TacitError(
            f"{out.name!r} cannot name a table: it takes letters of a to z, digits, '_', '-' and '.', ending in {SUFFIX}; "
            f"give a path such as photos{SUFFIX}."
        )
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    restore(out)
    return out


def check_encoder(there: Table, provenance: Provenance) -> None:
    """Vectors of two encoders are never mixed."""
    if there.provenance.encoder != provenance.encoder:
        raise TacitError(
            f"{there.path} is a table made by another encoder ({there.provenance.encoder[:12]} of {there.provenance.run}, not "
            f"{provenance.encoder[:12]}); nothing was changed: give another name or move it away."
        )
    if (there.provenance.form, there.provenance.pool) != (provenance.form, provenance.pool):
        raise TacitError(
            f"{there.path} holds {there.provenance.form} vectors (pool {there.provenance.pool}), and {provenance.form} ones "
            f"(pool {provenance.pool}) came; give --tokens and --pool as they were, or another name."
        )


def _check_replaceable(out: Path, provenance: Provenance, overwrite: bool) -> None:
    """Only a table of the same encoder may be replaced, and only when asked for."""
    if not out.exists():
        return
    try:
        there = open_table(out)
    except TacitError as error:
        raise TacitError(f"{out} is there and is no whole table of Tacit's; move it away or give another name.") from error
    check_encoder(there, provenance)
    if not overwrite:
        raise TacitError(
            f"{out} is there already: {len(there)} vectors made by the same encoder; say overwrite to replace them, append to "
            "add to them, or give another name."
        )


def _check_space(out: Path, needed: int) -> None:
    """The vectors alone must fit beside what is there; better said now than after hours."""
    free = shutil.disk_usage(out.parent).free
    if free < needed:
        raise TacitError(
            f"{out} needs {needed / 1e9:.2f} GB for its vectors alone, and {free / 1e9:.2f} GB are free there; "
            "free some space or write to another disk."
        )


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """What the system and Lance say when writing fails, in a sentence."""
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        raise Unwritable(
            f"{out} could not be written ({brief(error)}); what was there before is untouched: free some space or write to "
            "another place, and start again."
        ) from error


def _put(part: Path, out: Path) -> None:
    """Put the whole new table in its place.

    A folder cannot be renamed onto another, so an old table first stands aside; a kill between the two renames is
    undone by `restore`, which everything that opens or writes a table calls.
    """
    aside = hidden(out, "old")
    _clear(aside)
    if out.exists():
        out.rename(aside)
    part.rename(out)
    _clear(aside)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
