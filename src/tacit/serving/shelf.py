"""The table that is searched: as it was when opened, and as it is once somebody has written it anew."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import TypeVar

import numpy as np

from tacit.applying.searching import hold_where_it_fits, index_of
from tacit.embeddings.places import Address, place
from tacit.embeddings.read import Table, latest, mark_of, open_table, whole_version
from tacit.embeddings.search import Hit, Index, search
from tacit.errors import TacitError
from tacit.serving.limits import Refused

PATIENCE = 10.0  # seconds in which a table that is being replaced is whole again
EVERY = 1.0  # seconds between two looks at whether it has changed
AFAR = 10.0  # … where it lies in an object store, which is asked over the network and paid for each time
QUOTED, NAMED = re.compile(r"'[^']*'"), re.compile(r"\bpath\b", re.IGNORECASE)
T = TypeVar("T")


class Foreign(TacitError):
    """A table that this server cannot search lies there: waiting does not mend that."""


@dataclass(frozen=True)
class Opened:
    """One version of a table, ready to be searched."""

    table: Table
    index: Index | None
    mark: str  # by which another version is told


class Shelf:
    """A table that others may write while it is searched.

    Every search sees one version whole. A new one is taken up once it is whole; a table by another encoder never is, and what
    was searched before then goes on as long as its files are there.
    """

    def __init__(self, table: str | Path | Address, encoder: str, told: Callable[[str], None]):
        self.path, self.encoder, self.told = place(table), encoder, told
        self.every = EVERY if isinstance(self.path, Path) else AFAR
        self.why: TacitError | None = None  # the version on disk is not the one that is searched
        self._lock = Lock()  # one thread opens at a time
        self._opened = self._open()

    @property
    def table(self) -> Table:
        return self._opened.table

    def search(self, vector: np.ndarray, top: int, where: str, exclude: list[str]) -> list[Hit]:
        """The nearest rows; where their files were replaced meanwhile, those of the new version."""
        if NAMED.search(QUOTED.sub("", where)):
            raise Refused(400, "not_understood", "where names path, a column of this machine; write a condition on others.")

        def ask(opened: Opened) -> list[Hit]:
            index = None if where else opened.index
            return search(opened.table, vector[None], top, exclude=exclude, where=where, index=index)[0]

        return self._asked(ask)

    def vector(self, id: str) -> np.ndarray:
        """The vector of a row; an id that is not there is refused with the nearest."""

        def ask(opened: Opened) -> np.ndarray:
            table = opened.table
            if (place := table.find([id]))[0] < 0:
                near = table.nearest_id(id[:200])
                raise Refused(404, "no_such_id", f"There is no id {id[:80]!r} in {self.path.name}; the nearest is {near!r}.")
            return table.held[place[0]] if table.held is not None else table.vectors([id])[0]

        return self._asked(ask)

    def renew(self) -> None:
        """Take up what was written since; what cannot be taken up is told once, and the old goes on."""
        with self._lock:
            mark = _mark(self.path)
            if mark is None or mark == self._opened.mark:
                return
            try:
                self._opened, self.why = self._open(), None
                self.told(f"{self.path} was written anew: {len(self.table):,} rows, version {self.table.version}.")
            except TacitError as error:
                if str(error) != str(self.why):
                    self.told(f"The version before is searched on: {error}")
                self.why = error

    def _open(self) -> Opened:
        mark = _mark(self.path) or ""
        table = open_table(self.path)
        if table.provenance.encoder != self.encoder:
            raise Foreign(
                f"{self.path} was made by another encoder than the run that is served; give the table of this run, or embed "
                "again."
            )
        if table.provenance.form != "dense":
            raise Foreign(
                f"{self.path} holds vectors of tokens, several for each sample, which the server does not compare; embed "
                "without --tokens, or ask it with tacit search."
            )
        index = index_of(table, False, self.told)
        if index is None:
            hold_where_it_fits(table)
        return Opened(table, index, mark)

    def _asked(self, ask: Callable[[Opened], T]) -> T:
        """An answer from what is open; where that fails since its files were replaced, from what is there then."""
        end = monotonic() + PATIENCE
        while True:
            opened = self._opened
            try:
                return ask(opened)
            except Refused:
                raise
            except TacitError:
                if _mark(self.path) == opened.mark:
                    raise  # the client's own mistake
            sleep(0.05)
            self.renew()  # which fails too where the table is replaced once more meanwhile, and is tried again
            if monotonic() > end or (self._opened is opened and isinstance(self.why, Foreign)):
                raise Refused(409, "other_table", f"{self.path.name} was replaced by what this server cannot search.")


def _mark(path: Path | Address) -> str | None:
    """Which state of a table lies there; None while none does, or none can be reached."""
    try:
        if isinstance(path, Address):
            lance, _ = latest(path)
            return mark_of(lance, whole_version(lance))
        found = (path / "_versions").stat()
    except (OSError, TacitError):
        return None
    return f"{found.st_ino} {found.st_mtime_ns}"
