"""Samples of many requests through one encoder: they wait in a bounded queue and are embedded together."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import Queue
from threading import Condition, Thread
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np

from tacit.errors import TacitError
from tacit.serving.limits import Limits, Refused, full
from tacit.serving.metrics import Metrics


class Embedded(NamedTuple):
    """What a request is answered with."""

    vectors: np.ndarray  # float32, n × d, in the order in which its samples came
    tokens: int  # of texts, that were read; 0 of other kinds


class Loaded(NamedTuple):
    """A batch that was decoded."""

    content: Any
    good: np.ndarray  # int64: which of its samples could be read
    bad: dict[int, str]  # why the others could not
    tokens: np.ndarray  # int64, of each good one


class Embedder(Protocol):
    """What a kind of data is embedded by; both steps take items of several requests, and each is called by one thread."""

    def load(self, items: Sequence[Any]) -> Loaded: ...

    def represent(self, loaded: Loaded) -> np.ndarray:
        """float32, one row for each of `loaded.good`."""


class Job:
    """The samples of one request. `answer` is what it waits for; to cancel that takes the request out of the queue."""

    def __init__(self, by: Embedder, items: Sequence[Any], size: int):
        self.by, self.items, self.size = by, items, size
        self.answer: Future[Embedded] = Future()
        self.begun = 0  # samples that are in a batch
        self.vectors: np.ndarray | None = None
        self.missing = len(items)  # samples without a vector
        self.tokens = 0

    def fail(self, error: Exception) -> None:
        with suppress(InvalidStateError):  # nobody waits any more
            self.answer.set_exception(error)

    def take(self, start: int, rows: np.ndarray, tokens: int) -> None:
        """The vectors of some samples; with the last of them the request is answered."""
        if self.vectors is None:
            self.vectors = np.empty((len(self.items), rows.shape[1]), np.float32)
        self.vectors[start : start + len(rows)] = rows
        self.missing -= len(rows)
        self.tokens += tokens
        if not self.missing:
            with suppress(InvalidStateError):
                self.answer.set_result(Embedded(self.vectors, self.tokens))


class Piece(NamedTuple):
    """The samples of a job that are in one batch."""

    job: Job
    start: int
    stop: int


class Batcher:
    """A queue and two threads: one decodes the next batch while the other computes the last.

    A batch is made of what waits when it is begun, of as many requests as it has room for: nobody waits for others to come.
    """

    def __init__(self, limits: Limits, metrics: Metrics):
        self.limits, self.metrics = limits, metrics
        self.samples = self.bytes = 0  # that wait or are worked on
        self._queue: deque[Job] = deque()
        self._changed = Condition()
        self._closed = False
        self._loaded: Queue[tuple[list[Piece], Loaded] | None] = Queue(maxsize=1)
        self._threads = [Thread(target=step, name=step.__name__, daemon=True) for step in (self._load_all, self._embed_all)]
        for thread in self._threads:
            thread.start()

    def submit(self, by: Embedder, items: Sequence[Any], size: int) -> Job:
        """Put a request into the queue; refused at once where there is no room for all of its samples."""
        job = Job(by, items, size)
        with self._changed:
            if self._closed:
                raise Refused(503, "draining", "The server is stopping; send this to another.", wait=1)
            if self.samples + len(items) > self.limits.waiting or self.bytes + size > self.limits.held:
                raise self.full()
            self.samples += len(items)
            self.bytes += size
            self._queue.append(job)
            self.metrics.waiting.set(self.samples)
            self._changed.notify()
        job.answer.add_done_callback(lambda _: self._release(job))
        return job

    def full(self) -> Refused:
        """What those are told for whom there is no room."""
        return full(f"{self.samples:,} samples wait and at most {self.limits.waiting:,} may")

    def close(self) -> None:
        """Finish what waits, then end; nothing is taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        for thread in self._threads:
            thread.join()

    def _release(self, job: Job) -> None:
        """Answered, refused or given up: its place is free."""
        with self._changed:
            self.samples -= len(job.items)
            self.bytes -= job.size
            self.metrics.waiting.set(self.samples)
            with suppress(ValueError):  # all of it was in batches already
                self._queue.remove(job)

    def _next(self) -> list[Piece]:
        """The pieces of the next batch: of one kind of data, in the order in which requests came; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            pieces: list[Piece] = []
            room = self.limits.batch
            for job in [job for job in self._queue if job.by is self._queue[0].by]:
                stop = min(job.begun + room, len(job.items))
                pieces.append(Piece(job, job.begun, stop))
                room -= stop - job.begun
                job.begun = stop
                if stop == len(job.items):
                    self._queue.remove(job)
                if not room:
                    break
            return pieces

    def _load_all(self) -> None:
        while pieces := self._next():
            for some, loaded in _loaded(pieces):
                self._loaded.put((some, loaded))
        self._loaded.put(None)

    def _embed_all(self) -> None:
        while (batch := self._loaded.get()) is not None:
            started = perf_counter()
            pieces, loaded = batch
            _embed(pieces, loaded)
            self.metrics.batch_seconds.observe(perf_counter() - started)
            self.metrics.batch_samples.observe(sum(piece.stop - piece.start for piece in pieces))
            self.metrics.batch_requests.observe(len(pieces))


def _loaded(pieces: list[Piece]) -> list[tuple[list[Piece], Loaded]]:
    """Pieces decoded together; where that fails, each by itself, so that one request costs no other its answer."""
    pieces = [piece for piece in pieces if not piece.job.answer.done()]
    if not pieces:
        return []
    items = [item for job, start, stop in pieces for item in job.items[start:stop]]
    try:
        return [(pieces, pieces[0].job.by.load(items))]
    except Exception as error:
        if len(pieces) == 1:
            pieces[0].job.fail(error)
            return []
        return [one for piece in pieces for one in _loaded([piece])]


def _embed(pieces: list[Piece], loaded: Loaded) -> None:
    """Compute a batch and hand out its vectors; a request of which a sample could not be read is refused whole."""
    try:
        rows = pieces[0].job.by.represent(loaded) if len(loaded.good) else np.empty((0, 0), np.float32)
    except Exception as error:
        if len(pieces) == 1:
            pieces[0].job.fail(error)
            return
        for piece in pieces:
            for some, alone in _loaded([piece]):
                _embed(some, alone)
        return
    place = {int(position): row for row, position in enumerate(loaded.good)}
    begin = 0
    for job, start, stop in pieces:
        own = range(begin, begin + stop - start)
        begin = own.stop
        if (bad := next((position for position in own if position not in place), None)) is not None:
            job.fail(_unreadable(start + bad - own.start, loaded.bad[bad]))
            continue
        found = rows[[place[position] for position in own]]
        if not np.isfinite(found).all():
            job.fail(TacitError("The encoder answers one of these samples with NaN or infinity; leave out what is extreme."))
            continue
        job.take(start, found, int(loaded.tokens[[place[position] for position in own]].sum()))


def _unreadable(number: int, why: str) -> Refused:
    return Refused(400, "unreadable", f"Sample {number} of the request cannot be read ({why}); mend it or leave it out.")
