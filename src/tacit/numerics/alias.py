"""Draws from discrete distributions in constant time, by alias tables (Walker 1977, construction of Vose 1991)."""

from typing import NamedTuple

import numba
import numpy as np

from tacit.numerics.counter import uniform


class Alias(NamedTuple):
    """A table for each row of compressed rows: entry i of a row is kept with probability keep[i], else other[i] is taken."""

    keep: np.ndarray  # float32, one for each entry
    other: np.ndarray  # int32, positions within the row


def alias(weights: np.ndarray, indptr: np.ndarray | None = None) -> Alias:
    """Tables that draw entry i of a row in proportion to weights[i] ≥ 0; without `indptr` all weights are one row.

    A row without any weight is drawn from as if all of its entries weighed the same.
    """
    weights = np.ascontiguousarray(weights, np.float64)
    indptr = np.array([0, len(weights)]) if indptr is None else indptr
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("weights to draw by must be finite and 0 or more")
    keep, other = np.empty(len(weights), np.float32), np.empty(len(weights), np.int32)
    _build(np.ascontiguousarray(indptr, np.int64), weights, keep, other)
    return Alias(keep, other)


def draw(table: Alias, key: int, rows: np.ndarray) -> np.ndarray:
    """One entry of a table of one row for each of `rows`: int64; depends on (key, row) alone."""
    u = uniform(key, rows, 2).astype(np.float64)
    entry = (u[:, 0] * len(table.keep)).astype(np.int64)
    return np.where(u[:, 1] < table.keep[entry], entry, table.other[entry])


@numba.njit(cache=True, nogil=True)
def _build(indptr, weights, keep, other):
    longest = 0
    for row in range(len(indptr) - 1):
        longest = max(longest, indptr[row + 1] - indptr[row])
    share, stack = np.empty(longest, np.float64), np.empty(longest, np.int32)
    for row in range(len(indptr) - 1):
        first, size = indptr[row], indptr[row + 1] - indptr[row]
        total = weights[first : first + size].sum()
        small, large = 0, size  # one stack grows from the left, the other from the right
        for i in range(size):
            share[i] = weights[first + i] * size / total if total > 0 else 1.0
            keep[first + i], other[first + i] = 1.0, i
            if share[i] < 1:
                stack[small] = i
                small += 1
            else:
                large -= 1
                stack[large] = i
        while small > 0 and large < size:
            small -= 1
            poor, rich = stack[small], stack[large]
            keep[first + poor], other[first + poor] = share[poor], rich
            share[rich] -= 1 - share[poor]
            if share[rich] < 1:
                large += 1
                stack[small] = rich
                small += 1
