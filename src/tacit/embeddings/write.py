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

from tacit.embeddings.places import SUFFIX, Address, database, place
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import AFTER, WHOLE, Missing, Table, Unfinished, bare, brief, latest, open_table, whole_version
from tacit.embeddings.rows import Rows, schema, to_batch
from tacit.errors import TacitError

SECONDS = 30.0  # between commits: what a kill can cost
FRAGMENTS = 32  # commits of a new table beyond which they are put together at its end
EVER = timedelta(days=36_500)
MERGED = 1 << 26  # bytes of rows that replace others at a time


@contextmanager
def sole_writer(out: Path | str | Address) -> Iterator[Path | Address]:
    """Nobody else on this machine writes the table `out` meanwhile; its path with links followed. A kill gives it free.

    Who writes from another machine is met at the next commit, whose number is not the next, and both stop.
    """
    import fcntl

    out = _place(out)
    with writing(out):
        lock = out.with_name(f".{out.stem}.lock")
    while True:
        with writing(out):
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


def begun(out: Path | Address, provenance: Provenance) -> list[str]:
    """The ids of what was written of a table by this encoder from this source before that broke off: none where nothing was."""
    try:
        lance, made = latest(out)
    except TacitError:
        return []
    if not _is_begun(lance) or replace(made, run=provenance.run, version=provenance.version) != provenance:
        return []
    ids = Table(out, lance, made, lance.count_rows()).ids()
    return ids if len({*ids}) == len(ids) else []  # two wrote it at once


def write(
    out: Path | str | Address,
    rows: Iterable[Rows],
    provenance: Provenance,
    *,
    total: int,
    overwrite: bool = False,
    go_on: bool = False,
) -> Table:
    """Write rows, as they come, into the table `out` (`photos.lance`, a folder or an address) and open it; call it as
    `sole_writer`.

    Memory does not grow with the number of rows: two or three batches of them and what Lance gathers for a page (8 MB)
    of each column. `rows` is iterated in the caller's thread. `total` is the number of samples they come from; fewer
    rows may come, for the unreadable ones.

    A table of the same encoder that is already there is replaced with `overwrite`; anything else that is there is
    never touched. The new table grows in versions of its own, committed every half minute, of which the last is tagged when
    it is whole: readers see the tagged version, so that a kill, a full disk or an error in `rows` leaves what was there.
    With `go_on` the rows follow those that an earlier `write` left untagged (`begun` names them); else those are forgotten.
    Rows that are refused are forgotten too.
    """
    out = _place(out)
    replaced = _check_replaceable(out, provenance, overwrite)
    if total < 1:
        raise TacitError(f"There is nothing to write into {out}: the source has no samples; check where it points.")
    form = schema(provenance)
    with writing(out):
        _check_space(out, total * provenance.dim * 4)
    try:
        with writing(out):
            lance = latest(out)[0] if go_on else _made(out, form)
        _store(out, lance, (to_batch(some, form) for some in rows if some.ids), tagged=False)
        if not lance.count_rows():
            raise TacitError(f"None of the {total} samples could be embedded, so {out} was not written; see why each failed.")
        with writing(out):
            tag(lance)
    except BaseException as error:
        refused = isinstance(error, TacitError) and not isinstance(error, Unwritable)
        _undo(out, also_rows=refused)  # a disk that is full may have space again, and what was interrupted is gone on with
        raise
    with writing(out):
        if replaced or lance.stats()["fragment_stats"]["num_fragments"] > FRAGMENTS:
            compact(lance)
    return open_table(out)


def add(out: Path | str | Address, rows: Iterable[Rows], *, renew: bool) -> Table:
    """Add rows to a table that is there, with `renew` in place of those of the same ids; call it as `sole_writer`.

    Rows come as in `write`; what was committed before a kill stays, and the same call again adds the rest. Without `renew`
    no id may be there already, which the caller sees to.
    """
    there = open_table(out)
    form = schema(there.provenance)
    form = pa.schema([field for field in form if field.name in there.lance.schema.names], form.metadata)
    batches = (to_batch(some, form) for some in rows if some.ids)
    with writing(there.path):
        lance = _at_whole(there.path)
    if renew:
        for block in _blocks(batches):
            with _commit(there.path, lance, tagged=True), writing(there.path):
                merge = lance.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
                merge.execute(block)
    else:
        _store(there.path, lance, batches, tagged=True)
    return open_table(out)


@contextmanager
def changing(out: Path | Address) -> Iterator[Any]:
    """LanceDB's table, at the version that is read, for a change of the sole writer's; what it is then, is read next."""
    with sole_writer(out) as path, writing(path):
        lance = _at_whole(path)
        yield lance
        tag(lance)


def compact(lance: Any) -> None:
    """Put the pieces of LanceDB's table together; forget earlier versions and what no version names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="optimize")  # of other readers: the caller is the sole writer
        lance.optimize(cleanup_older_than=EVER)
        tag(lance)
        for name in lance.tags.list():  # what is tagged cannot be forgotten
            if name.startswith(AFTER):
                lance.tags.delete(name)
        lance.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)


def tag(lance: Any) -> None:
    """Make the last version the one that is read, and remember those that were not whole before it."""
    last = whole_version(lance)
    names = [WHOLE] if lance.version <= last + 1 else [f"{AFTER}{last}", WHOLE]
    there = lance.tags.list()
    for name in names:
        (lance.tags.update if name in there else lance.tags.create)(name, lance.version)


def _is_begun(lance: Any) -> bool:
    """Whether the last versions are the beginning of a new table: it is made without rows."""
    last = whole_version(lance)
    return any(e["version"] > last and e["metadata"]["total_rows"] == "0" for e in lance.list_versions())


def _at_whole(out: Path | Address) -> Any:
    """LanceDB's table to be written on: what was broken off behind the version that is read is undone."""
    lance, _ = latest(out)
    if lance.version != whole_version(lance):
        lance.restore(whole_version(lance))
        tag(lance)
    return lance


def _made(out: Path | Address, form: pa.Schema) -> Any:
    """A new table without rows, behind what is there."""
    return database(out).create_table(out.stem, schema=form, mode="overwrite" if _is_there(out) else "create")


def _is_there(out: Path | Address) -> bool:
    try:
        return not bare(out) and bool(latest(out))
    except Missing:
        return False


def _undo(out: Path | Address, also_rows: bool) -> None:
    """Forget what is not whole, if it has no rows or these too are to go; what cannot be forgotten is not read either."""
    with suppress(TacitError, RuntimeError, ValueError, OSError):
        lance, _ = latest(out)
        if lance.count_rows() and not also_rows:
            return
        if whole_version(lance):
            _at_whole(out)
        else:
            database(out).drop_table(out.stem)
    if bare(out):
        shutil.rmtree(str(out), ignore_errors=True)


@contextmanager
def _commit(out: Path | Address, lance: Any, tagged: bool) -> Iterator[None]:
    """One commit, which follows the last one: who else writes meanwhile, from another machine, is a TacitError.

    tagged  whether what was committed is the table that is read
    """
    before = lance.version
    try:
        yield
    finally:
        if lance.version > before + 1:
            raise Unwritable(
                f"{out} is being written from another machine at once; what was whole before is untouched: let one of the two "
                "write, and start it again."
            )
        if tagged and lance.version > before:
            with writing(out):
                tag(lance)


def _store(out: Path | Address, lance: Any, batches: Iterator[pa.RecordBatch], *, tagged: bool) -> None:
    """Stream batches into a table, with a commit every SECONDS; what came before an error is committed too."""
    for batch in batches:
        with _commit(out, lance, tagged):
            _stretch(out, lance, batch, batches)


def _stretch(out: Path | Address, table: Any, first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> None:
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
            with writing(out):
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


def _place(out: Path | str | Address) -> Path | Address:
    """Where a table called so lies, links followed: what a link points at is replaced, not the link."""
    if Path(str(out)).suffix != SUFFIX or not fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", Path(str(out)).stem):
        raise TacitError(
            f"{Path(str(out)).name!r} cannot name a table: it takes letters of a to z, digits, '_', '-' and '.', ending in "
            f"{SUFFIX}; give a path such as photos{SUFFIX}, or an address such as s3://bucket/photos{SUFFIX}."
        )
    found = place(out)
    if isinstance(found, Address):
        return found
    found = found.resolve() if found.is_symlink() else found
    with writing(found):
        found.parent.mkdir(parents=True, exist_ok=True)
    return found


def check_encoder(there: Provenance, provenance: Provenance, path: Path | Address) -> None:
    """Vectors of two encoders are never mixed."""
    if there.encoder != provenance.encoder:
        raise TacitError(
            f"{path} is a table made by another encoder ({there.encoder[:12]} of {there.run}, not "
            f"{provenance.encoder[:12]}); nothing was changed: give another name or move it away."
        )
    if (there.form, there.pool) != (provenance.form, provenance.pool):
        raise TacitError(
            f"{path} holds {there.form} vectors (pool {there.pool}), and {provenance.form} ones (pool {provenance.pool}) came; "
            "give --tokens and --pool as they were, or another name."
        )


def _check_replaceable(out: Path | Address, provenance: Provenance, overwrite: bool) -> bool:
    """Whether a table is replaced: only one of the same encoder may be, and only when asked for."""
    if bare(out):
        return False
    try:
        there = open_table(out)
    except Missing:
        return False
    except Unfinished:
        lance, begun_by = latest(out)
        check_encoder(begun_by, provenance, out)
        if _is_begun(lance):
            return False
        raise
    except TacitError as error:
        if isinstance(out, Address) and "cannot be reached" in str(error):
            raise
        raise TacitError(f"{out} is there and is no whole table of Tacit's; move it away or give another name.") from error
    check_encoder(there.provenance, provenance, out)
    if not overwrite:
        raise TacitError(
            f"{out} is there already: {len(there)} vectors made by the same encoder; --overwrite replaces them, --append "
            "adds to them, or give another name."
        )
    return True


def _check_space(out: Path | Address, needed: int) -> None:
    """The vectors alone must fit beside what is there; better said now than after hours."""
    free = shutil.disk_usage(out.parent).free if isinstance(out, Path) else needed
    if free < needed:
        raise TacitError(
            f"{out} needs {needed / 1e9:.2f} GB for its vectors alone, and {free / 1e9:.2f} GB are free there; "
            "free some space or write to another disk."
        )


@contextmanager
def writing(out: Path | Address) -> Iterator[None]:
    """What the system and Lance say when writing fails, in a sentence."""
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        raise Unwritable(
            f"{out} could not be written ({brief(error)}); what was there before is untouched: free some space or write to "
            "another place, and start again."
        ) from error
