"""Walks as sentences: several from each node, made when they are asked for and never kept."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tacit.numerics import counter
from tacit.numerics.walks import Rows, prepared

WORDS = 200_000  # of a chunk, after which a training may be interrupted
LAST_RATE = 1e-4  # at which word2vec's learning rate ends

Walk = Callable[[np.ndarray, np.ndarray], np.ndarray]  # starts, numbers -> sentences


class Chunk(NamedTuple):
    """Some sentences of a corpus, what each is drawn by, and its learning rate."""

    sentences: np.ndarray  # int32, m × length, −1 after the end of each
    numbers: np.ndarray  # int64, m
    rates: np.ndarray  # float32, m


class Corpus(NamedTuple):
    """`passes` walks from each of n nodes, in another order each time: sentence i is a pure function of (key, i)."""

    walk: Walk
    n: int
    passes: int
    length: int
    key: int

    @property
    def sentences(self) -> int:
        return self.n * self.passes

    def chunks(self, done: int = 0, rate: float = 0.025) -> Iterator[Chunk]:
        """All sentences from number `done` on, their rates falling linearly to word2vec's last."""
        size = max(WORDS // self.length, 1)
        for at in range(done, self.sentences, size):
            numbers = np.arange(at, min(at + size, self.sentences))
            rates = np.maximum(rate * (1 - numbers / self.sentences), LAST_RATE).astype(np.float32)
            yield Chunk(self.walk(self._starts(numbers), numbers), numbers, rates)

    def counts(self) -> np.ndarray:
        """How often each node comes: int64, n. All walks are made for it, which is cheap beside training on them."""
        found = np.zeros(self.n, np.int64)
        for chunk in self.chunks():
            found += np.bincount(chunk.sentences[chunk.sentences >= 0], minlength=self.n)
        return found

    def _starts(self, numbers: np.ndarray) -> np.ndarray:
        starts = np.empty(len(numbers), np.int64)
        for lap in range(numbers[0] // self.n, numbers[-1] // self.n + 1):
            mine = numbers // self.n == lap
            starts[mine] = counter.permutation(counter.key(self.key, "order", int(lap)), self.n)[numbers[mine] % self.n]
        return starts


def rows_of(graph: Any, *, loops: bool, weighted: bool) -> Rows:
    """A `data.graph.Graph` as rows to walk on: an edge that comes again adds its weight, or counts once."""
    source, target = graph.sources.astype(np.int64), graph.indices
    first = np.ones(len(source), bool)
    first[1:] = (np.diff(source) != 0) | (np.diff(target) != 0)
    stays = first & (loops | (source != target))
    weights = None
    if weighted and graph.weights is not None:
        weights = np.bincount(np.cumsum(first) - 1, graph.weights)[stays[first]]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source[stays], minlength=len(graph)))])
    return prepared(indptr, target[stays], weights)
