"""Seeds of k-means for many clusters: drawn as k-means++ draws them, but measured many at a time."""

import numpy as np
import torch
from torch import Tensor

from tacit.numerics import counter

ROWS = 8192  # of a tile
MOST = 64  # candidates that are drawn at once


def plus_plus(x: Tensor, k: int, key: int) -> Tensor:
    """The rows of n × d, float32, that k-means++ (Arthur and Vassilvitskii 2007) begins with: k positions, int64.

    Each seed is drawn with a probability proportional to the squared distance D² to the nearest one before it. Here several
    candidates are drawn at once, and each is accepted with the probability that those accepted before it in the batch have
    left of its D², which gives the same distribution by rejection; the distances to all that were accepted are one product.
    What is drawn depends on `key` alone. Where fewer than k rows differ, the first of the others are taken.
    """
    if not 1 <= k <= len(x):
        raise ValueError(f"{k} seeds of {len(x)} rows; k must lie in 1…n")
    norms = x.square().sum(1)
    chosen = torch.tensor([int(_draws(key, 0, 1)[0, 0] * len(x))])
    nearest = torch.full((len(x),), torch.inf)
    _measure(x, norms, chosen, nearest)
    turn = 1
    while len(chosen) < k:
        reached = nearest.double().cumsum(0)
        if not reached[-1] > 0:  # every row is some seed's equal
            free = torch.ones(len(x), dtype=torch.bool).index_fill_(0, chosen, False)
            return torch.cat([chosen, free.nonzero().flatten()[: k - len(chosen)]])
        draws = _draws(key, turn, min(MOST, max(len(chosen) // 4, 1)))
        drawn = torch.searchsorted(reached, draws[:, 0] * reached[-1]).clamp(max=len(x) - 1)
        new = _accepted(x[drawn], nearest[drawn], draws[:, 1])
        fresh = drawn[new][: k - len(chosen)]
        _measure(x, norms, fresh, nearest)
        chosen, turn = torch.cat([chosen, fresh]), turn + 1
    return chosen


def _draws(key: int, turn: int, count: int) -> Tensor:
    """Two uniform numbers for each of `count` candidates, of 48 bits: float64, count × 2."""
    raw = counter.uniform(key, turn * MOST + np.arange(count), 4).astype(np.float64)
    return torch.from_numpy(raw[:, :2] + raw[:, 2:] * 2.0**-24)


def _accepted(candidates: Tensor, before: Tensor, chances: Tensor) -> list[int]:
    """Which of the candidates are taken, in their order: the first always, since nothing came before it."""
    apart = torch.cdist(candidates.double(), candidates.double()).square()
    taken: list[int] = []
    for i, most in enumerate(before.tolist()):
        left = min([most, *apart[i, taken].tolist()])
        if float(chances[i]) * most < left:
            taken.append(i)
    return taken


def _measure(x: Tensor, norms: Tensor, new: Tensor, nearest: Tensor) -> None:
    """Lower `nearest` to the squared distances to the rows at `new`, where these are less."""
    seeds = x[new]
    for start in range(0, len(x), ROWS):
        tile = slice(start, start + ROWS)
        least = torch.addmm(norms[new], x[tile], seeds.T, alpha=-2).amin(1) + norms[tile]
        torch.minimum(nearest[tile], least.clamp_(min=0), out=nearest[tile])
    nearest[new] = 0
