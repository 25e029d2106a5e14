"""Seeds of k-means, as greedy k-means++ draws them, but with the distances of many candidates taken in one product."""

import numba
import numpy as np
import torch
from torch import Tensor

from tacit.numerics import counter
from tacit.numerics.tiling.sums import FAST

CELLS = 1 << 23  # distances that are held at once: 32 MiB
FEW, MANY = 4, 64  # seeds whose candidates are drawn at once, at first and at most
TRIALS = 3  # candidates of a seed: more cost more, and clusters were as even with 3 as with the 8 of scikit-learn


def plus_plus(x: Tensor, k: int, key: int) -> Tensor:
    """The rows of n × d, float32 on a CPU, that k-means begins with: k positions, int64.

    Greedy k-means++ (Arthur and Vassilvitskii 2007): for each seed 3 candidates are drawn with a probability proportional to
    the squared distance D² to the nearest seed before, and the one that leaves the least sum of D² is taken.

    Candidates of several seeds are drawn at once. Each is accepted with the share that the seeds since have left of its D²,
    which gives the same distribution by rejection. What is drawn depends on `key` alone. Where fewer than k rows differ, the
    first of the others are taken.
    """
    if not 1 <= k <= len(x):
        raise ValueError(f"{k} seeds of {len(x)} rows; k must lie in 1…n")
    x = x - x.mean(0)  # where less is lost by rounding
    n, norms = len(x), x.square().sum(1)
    chosen = np.empty(k, np.int64)
    chosen[0], found, turn = int(_draws(key, 0, 1)[0, 0] * n), 1, 1
    nearest = _squared(x, norms, torch.from_numpy(chosen[:1]))[0]
    while found < k:
        reached = nearest.double().cumsum(0)
        if not reached[-1] > 0:  # every row is some seed's equal
            free = np.delete(np.arange(n), chosen[:found])
            chosen[found:] = free[: k - found]
            break
        seeds = min(max(found // 8, FEW), MANY, max(CELLS // (n * TRIALS), 1))
        draws = _draws(key, turn, seeds * TRIALS)
        drawn = torch.searchsorted(reached, draws[:, 0] * reached[-1]).clamp(max=n - 1)
        squared = _squared(x, norms, drawn)
        found += _greedy(nearest.numpy(), squared.numpy(), drawn.numpy(), draws[:, 1].numpy(), TRIALS, chosen[found:])
        turn += 1
    return torch.from_numpy(chosen)


def _draws(key: int, turn: int, count: int) -> Tensor:
    """Two uniform numbers for each of `count` candidates, of 48 bits: float64, count × 2."""
    raw = counter.uniform(counter.key(key, turn), np.arange(count), 4).astype(np.float64)
    return torch.from_numpy(raw[:, :2] + raw[:, 2:] * 2.0**-24)


def _squared(x: Tensor, norms: Tensor, rows: Tensor) -> Tensor:
    """The squared distances of the rows at these positions to all: their number × n; 0 to themselves."""
    far = torch.addmm(norms, x[rows], x.T, alpha=-2).add_(norms[rows, None]).clamp_(min=0)
    far[torch.arange(len(rows)), rows] = 0
    return far


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _greedy(nearest, squared, drawn, chances, trials, chosen):
    """Fill `chosen` from candidates as long as they last, lowering `nearest`; how many were chosen.

    All candidates of the first seed are accepted, so that one is chosen at least.
    """
    before = nearest[drawn]
    found, at = 0, 0
    while found < len(chosen):
        best, least, tried = -1, np.float32(np.inf), 0
        while tried < trials and at < len(drawn):
            if chances[at] * before[at] < nearest[drawn[at]]:
                left = np.float32(0)
                for j in range(len(nearest)):
                    left += min(nearest[j], squared[at, j])
                if left < least or best < 0:
                    best, least = at, left
                tried += 1
            at += 1
        if tried < trials:
            break
        for j in range(len(nearest)):
            nearest[j] = min(nearest[j], squared[best, j])
        chosen[found] = drawn[best]
        found += 1
    return found
