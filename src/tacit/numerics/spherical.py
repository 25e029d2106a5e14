"""Spherical k-means: directions that rows point in."""

import numpy as np
import torch
from torch import Tensor

from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import cluster_sums

ROWS = 8192  # of a tile: memory does not grow with n · k
STILL = 1e-6  # the relative change of the mean cosine at which it rests


def spherical_kmeans(features: Tensor, k: int, key: int, rounds: int = 100) -> Tensor:
    """Directions of length one, k × d, to which the rows of n × d are nearest by cosine (Dhillon and Modha 2001, MLJ 42).

    Begins at k rows drawn by the key, and rests after `rounds` or when the mean cosine rests. Directions that no row is
    nearest to take the rows that are farthest from their own.
    """
    x = unit(features)
    if not 1 <= k <= len(x):
        raise ValueError(f"{k} directions of {len(x)} rows; k must lie in 1…n")
    drawn = np.sort(counter.permutation(counter.key(key, "first"), len(x))[:k])
    centres, before = x[torch.from_numpy(drawn).to(x.device)], float("inf")
    for _ in range(rounds):
        best = [(tile @ centres.T).max(1) for tile in x.split(ROWS)]
        cosine, nearest = torch.cat([b.values for b in best]), torch.cat([b.indices for b in best])
        sums = cluster_sums(x, nearest, k)
        empty = torch.bincount(nearest, minlength=k) == 0
        sums[empty] = x[cosine.topk(int(empty.sum()), largest=False).indices]
        centres, now = unit(sums), float(cosine.mean())
        if abs(before - now) < STILL * abs(now):
            break
        before = now
    return centres
