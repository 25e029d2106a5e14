"""Random walks over compressed rows: of the first order, and of node2vec's second order by rejection.

A walk is a pure function of (key, its number): walks depend neither on how many are asked for at once nor on threads. Many
walks go side by side, so that the memory's delay in one of them is hidden behind the others.
"""

from typing import NamedTuple

import numba
import numpy as np

from tacit.numerics.alias import alias
from tacit.numerics.counter import _block

SIDE_BY_SIDE = 64  # walks
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


class Rows(NamedTuple):
    """A graph as compressed rows: node v leads to targets[indptr[v]:indptr[v + 1]], ascending, none of them twice."""

    indptr: np.ndarray  # int64, n + 1
    targets: np.ndarray  # int32
    weights: np.ndarray  # float32, one for each target; empty: all weigh 1
    keep: np.ndarray  # alias tables by weight, of `numerics.alias`; empty without weights
    other: np.ndarray
    total: np.ndarray  # float32, n: the sum of each row's weights, and the largest of them; 0 where there are none
    largest: np.ndarray


def prepared(indptr: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> Rows:
    """Compressed rows with what walks need beside them; without weights all edges weigh 1.

    Raises ValueError where a row is not ascending, holds a target twice, or a weight is not finite and above 0.
    """
    degree = np.diff(indptr)
    row = np.repeat(np.arange(len(degree)), degree)
    if not np.all((np.diff(targets) > 0) | (np.diff(row) > 0)):
        raise ValueError("the targets of a row must ascend, none of them twice")
    plain = np.ascontiguousarray(indptr, np.int64), np.ascontiguousarray(targets, np.int32)
    if weights is None:
        none = np.empty(0, np.float32)
        some = degree.astype(np.float32)
        return Rows(*plain, none, none, np.empty(0, np.int32), some, np.minimum(some, 1))
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError("the weights of edges must be finite and above 0")
    largest = np.zeros(len(degree), np.float32)
    np.maximum.at(largest, row, weights)
    total = np.bincount(row, weights, len(degree)).astype(np.float32)
    return Rows(*plain, np.ascontiguousarray(weights, np.float32), *alias(weights, indptr), total, largest)


def first_order(rows: Rows, starts: np.ndarray, length: int, key: int, numbers: np.ndarray) -> np.ndarray:
    """Walks that go on to a neighbour in proportion to the edge's weight: int32, len(starts) × length.

    `numbers`, int64, is what each walk is drawn by: give each walk of a corpus another. A walk that comes to a node without
    neighbours stops there, and −1 follows.
    """
    out = np.empty((len(starts), length), np.int32)
    _first_order(*rows, np.asarray(starts, np.int64), np.asarray(numbers, np.int64), np.uint64(key), out)
    return out


def second_order(rows: Rows, starts: np.ndarray, length: int, key: int, numbers: np.ndarray, p: float, q: float) -> np.ndarray:
    """node2vec's walks (Grover and Leskovec 2016, section 3.2.2), shaped as those of `first_order`.

    Having come from t to v, a walk goes on to x with a chance in proportion to the weight of v → x, over p where x is t, as it
    is where there is an edge x → t, and over q elsewhere. A neighbour is drawn by weight and kept by that factor; what going
    back weighs above the others is drawn apart (Yang et al., KnightKing, SOSP 2019), so that a small p rejects nothing more.
    """
    out = np.empty((len(starts), length), np.int32)
    _second_order(*rows, np.asarray(starts, np.int64), np.asarray(numbers, np.int64), np.uint64(key), 1 / p, 1 / q, out)
    return out


@numba.njit(cache=True, nogil=True)
def _fill(key, numbers, block, words):
    """Four random words for each number, from block `block[i]` of its row of the counter."""
    for lane in range(len(numbers)):
        a, b, c, d = _block(key, numbers[lane], block[lane])
        words[0, lane], words[1, lane], words[2, lane], words[3, lane] = a, b, c, d


@numba.njit(cache=True, inline="always")
def _neighbour(indptr, keep, other, v, word, coin):
    """A position among the targets, by weight; −1 where there are none."""
    first, degree = indptr[v], indptr[v + 1] - indptr[v]
    if degree == 0:
        return np.int64(-1)
    i = np.int64((word * np.uint64(degree)) >> _32)
    if len(keep) and np.float32(coin) * np.float32(2.0**-32) >= keep[first + i]:
        i = np.int64(other[first + i])
    return first + i


@numba.njit(cache=True, inline="always")
def _search(targets, base, size, sought, count):
    """Move each base to where its row, of `size` targets from there on, holds what is sought, if it does: all rows at once."""
    largest = 0
    for i in range(count):
        largest = max(largest, size[i])
    while largest > 1:
        for i in range(count):
            half = size[i] >> 1
            base[i] += half if targets[base[i] + half] <= sought[i] else 0
            size[i] -= half
        largest -= largest >> 1


@numba.njit(cache=True, nogil=True)
def _first_order(indptr, targets, weights, keep, other, total, largest, starts, numbers, key, out):
    length = out.shape[1]
    words = np.empty((4, SIDE_BY_SIDE), np.uint64)
    here, block = np.empty(SIDE_BY_SIDE, np.int64), np.empty(SIDE_BY_SIDE, np.int64)
    for begin in range(0, len(starts), SIDE_BY_SIDE):
        lanes = min(SIDE_BY_SIDE, len(starts) - begin)
        for lane in range(lanes):
            here[lane] = out[begin + lane, 0] = starts[begin + lane]
        for step in range(1, length):
            half = 2 * ((step - 1) % 2)  # a step takes two words, a block of the counter has four
            if half == 0:
                block[:] = (step - 1) // 2
                _fill(key, numbers[begin : begin + lanes], block, words)
            for lane in range(lanes):
                if here[lane] >= 0:
                    at = _neighbour(indptr, keep, other, here[lane], words[half, lane], words[half + 1, lane])
                    here[lane] = targets[at] if at >= 0 else -1
                out[begin + lane, step] = here[lane]


@numba.njit(cache=True, nogil=True)
def _second_order(indptr, targets, weights, keep, other, total, largest, starts, numbers, key, back, away, out):
    length, scale = out.shape[1], 2.0**-32
    most, least = max(1.0, away), min(1.0, away)
    surplus, back = max(back - most, 0.0), min(back, most)
    words = np.empty((4, SIDE_BY_SIDE), np.uint64)
    # Arrays of their own: rows of one could overlap, for all that the compiler knows, and would be read again and again.
    walk, number = np.zeros(SIDE_BY_SIDE, np.int64), np.zeros(SIDE_BY_SIDE, np.int64)
    tries, step = np.zeros(SIDE_BY_SIDE, np.int64), np.zeros(SIDE_BY_SIDE, np.int64)
    last, here, coming = np.zeros(SIDE_BY_SIDE, np.int64), np.zeros(SIDE_BY_SIDE, np.int64), np.zeros(SIDE_BY_SIDE, np.int64)
    returns, accepted = np.zeros(SIDE_BY_SIDE, np.bool_), np.zeros(SIDE_BY_SIDE, np.bool_)
    asked, sought = np.zeros(SIDE_BY_SIDE, np.int64), np.zeros(SIDE_BY_SIDE, np.int64)
    base, size = np.zeros(SIDE_BY_SIDE, np.int64), np.zeros(SIDE_BY_SIDE, np.int64)
    begun, lanes = 0, 0
    while True:
        while lanes < SIDE_BY_SIDE and begun < len(starts):
            walk[lanes], number[lanes], tries[lanes], step[lanes] = begun, numbers[begun], 0, 1
            last[lanes], here[lanes], out[begun, 0] = -1, starts[begun], starts[begun]
            begun += 1
            lanes += length > 1
        if lanes == 0:
            return
        _fill(key, number[:lanes], tries, words)
        count = 0
        for i in range(lanes):  # draw where to go, and note which edge must be looked up: v → t, or x → t
            v, t = here[i], last[i]
            degree = indptr[v + 1] - indptr[v]
            mass, top = (total[v], largest[v]) if len(weights) else (np.float32(degree), np.float32(min(degree, 1)))
            extra = surplus * top if t >= 0 else 0.0
            returns[i] = words[3, i] * scale * (most * mass + extra) < extra
            at = _neighbour(indptr, keep, other, v, words[0, i], words[1, i])
            x = np.int64(targets[at]) if at >= 0 else np.int64(-1)
            row = v if returns[i] else x
            coming[i] = t if returns[i] else x
            accepted[i] = (t < 0) | (x < 0) | (words[2, i] * scale * most < (back if x == t else least))
            asked[count], sought[count] = i, t
            base[count], size[count] = indptr[row], indptr[row + 1] - indptr[row]
            count += returns[i] | ((not accepted[i]) & (x != t))
        _search(targets, base, size, sought, count)
        for k in range(count):
            i = asked[k]
            found = size[k] > 0 and targets[base[k]] == sought[k]
            if returns[i]:
                accepted[i] = found and (len(weights) == 0 or words[2, i] * scale * largest[here[i]] < weights[base[k]])
            else:
                accepted[i] = found == (away < 1)
        for i in range(lanes - 1, -1, -1):
            tries[i] += 1
            if accepted[i]:
                last[i], here[i] = here[i], coming[i]
                out[walk[i], step[i]] = coming[i]
                step[i] += 1
            if here[i] < 0:
                out[walk[i], step[i] :] = -1
            if here[i] < 0 or step[i] == length:
                lanes -= 1
                walk[i], number[i], tries[i] = walk[lanes], number[lanes], tries[lanes]
                step[i], last[i], here[i] = step[lanes], last[lanes], here[lanes]
