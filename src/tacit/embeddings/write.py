"""Writing a table of vectors: streamed, whole or not at all, and nothing that was there before is lost."""

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Full, Queue
from re import fullmatch

import pyarrow as pa

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import SUFFIX, Table, brief, hidden, open_table, restore
from tacit.embeddings.rows import Rows, schema, to_batch
from tacit.errors import TacitError


def write(out: Path | str, rows: Iterable[Rows], provenance: Provenance, *, total: int, overwrite: bool = False) -> Table:
    """Write rows, as they come, into the table `out` (`photos.lance`, a folder) and open it.

    Memory does not grow with the number of rows: two or three batches of them and what Lance gathers for a page (8 MB)
    of each column. `rows` is iterated in the caller's thread. `total` is the number of samples they come from; fewer
    rows may come, for the unreadable ones.

    A table of the same encoder that is already there is replaced with `overwrite`; anything else that is there is
    never touched. The new table grows in a hidden sibling and is renamed when it is whole, so that a kill, a full disk
    or an error in `rows` leaves what was there; the next `write` clears away what a kill left behind.
    """
    out = Path(out)
    out = out.resolve() if out.is_symlink() else out  # what a link points at is replaced, not the link
    _check_name(out)
    restore(out)
    _check_replaceable(out, provenance, overwrite)
    if total < 1:
        raise TacitError(f"There is nothing to write into {out}: the source has no samples; check where it points.")
    part = hidden(out, "part")
    form = schema(provenance)
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear(part)
        _check_space(out, total * provenance.dim * 4)
    try:
        if not _store(out, part, form, (to_batch(some, form) for some in rows if some.ids)):
            raise TacitError(f"None of the {total} samples could be embedded, so {out} was not written; see why each failed.")
        with _writing(out):
            _put(part, out)
    finally:
        _clear(part)
        restore(out)  # where the last rename failed
    return open_table(out)


def _store(out: Path, part: Path, form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Stream batches into a new table at `part`; the number of rows.

    Lance pulls in a thread of its own, where `torch.no_grad` of the caller would not hold, Ctrl-C would not arrive and
    an exception would come back as text. So batches are made here and handed over one by one.
    """
    import lancedb

    waiting: Queue[pa.RecordBatch | _Signal] = Queue(maxsize=1)

    def pulled() -> Iterator[pa.RecordBatch]:
        while (item := waiting.get()) is not END:
            if item is BROKEN:
                raise RuntimeError("the rows broke off")
            yield item

    def create() -> None:
        reader = pa.RecordBatchReader.from_batches(form, pulled())
        lancedb.connect(part.parent.absolute()).create_table(part.stem, data=reader, schema=form)

    count = 0
    with ThreadPoolExecutor(1, "embeddings") as pool:

        def hand(item: "pa.RecordBatch | _Signal") -> None:
            while not writer.done():
                with suppress(Full):
                    return waiting.put(item, timeout=0.2)

        writer = pool.submit(create)
        try:
            for batch in batches:
                hand(batch)
                if writer.done():  # it failed: the reason is raised below
                    break
                count += len(batch)
            hand(END)
        except BaseException:
            hand(BROKEN)
            raise
        with _writing(out):
            writer.result()
    return count


class _Signal:
    """What is handed over in place of a batch."""


END, BROKEN = _Signal(), _Signal()


def _check_name(out: Path) -> None:
    if out.suffix != SUFFIX or not fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", out.stem):
        raise TacitError(
            f"{out.name!r} cannot name a table: it takes letters of a to z, digits, '_', '-' and '.', ending in {SUFFIX}; "
            f"give a path such as photos{SUFFIX}."
        )


def _check_replaceable(out: Path, provenance: Provenance, overwrite: bool) -> None:
    """Only a table of the same encoder may be replaced, and only when asked for."""
    if not out.exists():
        return
    try:
        there = open_table(out)
    except TacitError as error:
        raise TacitError(f"{out} is there and is no whole table of Tacit's; move it away or give another name.") from error
    if there.provenance.encoder != provenance.encoder:
        raise TacitError(
            f"{out} is a table made by another encoder ({there.provenance.encoder[:12]} of {there.provenance.run}, not "
            f"{provenance.encoder[:12]}); nothing was changed: give another name or move it away."
        )
    if not overwrite:
        raise TacitError(
            f"{out} is there already: {len(there)} vectors made by the same encoder; say overwrite to replace them, or give "
            "another name."
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
        raise TacitError(
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
