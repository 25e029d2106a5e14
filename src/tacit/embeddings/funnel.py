"""A funnel: few leading numbers of each vector name candidates, more of them and at last all decide.

For vectors whose first numbers are a representation by themselves (`--method matryoshka`). Kusupati et al. 2022
(arXiv:2205.13147), section 4.3.1: rounds that keep fewer rows and compare more numbers, prefixes brought to length one.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from tacit.embeddings.codes import sign_codes
from tacit.errors import TacitError
from tacit.numerics.exact import unit
from tacit.numerics.topk import Neighbours, nearest

HELD = 1 << 22  # numbers of candidates that are compared at once


class Round(NamedTuple):
    """Compare the first `dims` numbers, and keep so many rows."""

    dims: int
    keep: int


class Scan(Protocol):
    """Looks at all rows, n × dims of length one."""

    def __init__(self, rows: Tensor): ...

    def candidates(self, queries: Tensor, keep: int) -> Tensor:
        """The positions of so many rows for each query: int64, m × keep; −1 where it names fewer."""
        ...


class Leading:
    """By inner products of the numbers themselves, exactly: 4 bytes a number."""

    def __init__(self, rows: Tensor):
        self.rows = rows

    def candidates(self, queries: Tensor, keep: int) -> Tensor:
        return nearest(queries, self.rows, keep).positions


class Signs:
    """By one bit a number, whether it is above its mean over the rows; queries keep theirs, in units of its mean distance from
    the mean, so that no number counts for more than another."""

    def __init__(self, rows: Tensor):
        self.mean = rows.mean(0)
        self.away = (rows - self.mean).abs().mean(0).clamp_min(1e-9)
        self.index = sign_codes(8 * -(-rows.shape[1] // 8))
        self.index.add(self._standardised(rows))

    def candidates(self, queries: Tensor, keep: int) -> Tensor:
        return torch.from_numpy(self.index.search(self._standardised(queries), keep)[1])

    def _standardised(self, rows: Tensor) -> np.ndarray:
        return torch.nn.functional.pad((rows - self.mean) / self.away, (0, -rows.shape[1] % 8)).numpy()


class Funnel:
    """Rows that are searched by cosine in rounds, of which the first looks at all of them and the last compares all numbers."""

    def __init__(self, vectors: np.ndarray, rounds: Sequence[Round], scan: type[Scan] = Signs):
        """vectors n × d, finite; `rounds` before the last, which keep fewer and fewer rows of more and more numbers; `scan`
        is the first one's way. Held are the vectors at length one and, for each further size, its prefixes at length one.
        """
        n, d = vectors.shape
        dims, keep = [one.dims for one in rounds], [one.keep for one in rounds]
        if not rounds or sorted(dims) != dims or sorted(keep, reverse=True) != keep:
            raise TacitError(f"The rounds are {list(map(tuple, rounds))}; give one or more, with rising dims and falling keep.")
        if dims[0] < 1 or dims[-1] > d or keep[-1] < 1 or keep[0] > n:
            raise TacitError(f"Rounds compare 1 to {d} numbers and keep 1 to {n} rows here, not {list(map(tuple, rounds))}.")
        rows = torch.from_numpy(np.ascontiguousarray(vectors, np.float32))
        self.dim, self.rounds = d, tuple(Round(*one) for one in rounds)
        self.prefixes = {size: unit(rows[:, :size]) for size in {*dims[1:], d}}
        self.scan = scan(unit(rows[:, : dims[0]]))

    def search(self, queries: np.ndarray, top: int = 10) -> Neighbours:
        """Of those that the rounds leave the `top` rows of largest cosine with each query, m × d, best first."""
        asked = torch.from_numpy(np.ascontiguousarray(queries, np.float32))
        if asked.ndim != 2 or asked.shape[1] != self.dim:
            raise TacitError(f"Queries are {' × '.join(map(str, asked.shape))}; give rows of {self.dim} numbers.")
        first, *others = self.rounds
        if not 1 <= top <= self.rounds[-1].keep:
            raise TacitError(f"{top} hits were asked for, and the rounds leave {self.rounds[-1].keep}; ask for 1 to as many.")
        found = self.scan.candidates(unit(asked[:, : first.dims]), first.keep)
        for size, keep in others:
            found = self._best(asked, found, size, keep).positions
        return self._best(asked, found, self.dim, top)

    def recall(self, queries: np.ndarray, top: int = 10) -> float:
        """The share of the `top` nearest rows, by all numbers, that the rounds find."""
        found = self.search(queries, top).positions
        asked = unit(torch.from_numpy(np.ascontiguousarray(queries, np.float32)))
        truth = nearest(asked, self.prefixes[self.dim], top).positions
        return float((found[:, :, None] == truth[:, None]).any(1).float().mean())

    def _best(self, asked: Tensor, found: Tensor, size: int, keep: int) -> Neighbours:
        """Of each query's candidates the nearest by the first `size` numbers."""
        rows, queries = self.prefixes[size], unit(asked[:, :size])
        scores, places = [], []
        lines = max(HELD // (found.shape[1] * size), 1)
        for some, mine in zip(found.split(lines), queries.split(lines)):
            near = rows.index_select(0, some.flatten().clamp_min(0)).view(*some.shape, size)
            best = torch.bmm(near, mine[:, :, None])[:, :, 0].masked_fill(some < 0, -torch.inf).topk(keep)
            scores.append(best.values)
            places.append(some.gather(1, best.indices))
        return Neighbours(torch.cat(scores), torch.cat(places))
