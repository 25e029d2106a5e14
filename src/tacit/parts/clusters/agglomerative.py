"""Clusters that merge along a graph of neighbours, as those of JULE (Yang et al. 2016, arXiv:1604.03628, section 3.2)."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.numerics.topk import nearest

MANY, GAPS = 100, 4  # above so many clusters a pair counts more where the next so many are far behind


def affinities(z: Tensor, k: int) -> Any:
    """exp(−d²/σ²) of each row, of length one, to its k nearest, σ² the mean of all d²: n × d -> sparse, n × n."""
    from scipy.sparse import csr_array

    k = min(k, len(z) - 1)
    scores, positions = nearest(z, z, k, exclude_self=True)
    squared = (2 - 2 * scores.double()).clamp_min(0)
    weights = torch.exp(-squared / squared.mean().clamp_min(1e-12))
    ends = np.arange(0, k * len(z) + 1, k)
    return csr_array((weights.flatten().numpy(), positions.flatten().numpy(), ends), (len(z), len(z)))


def chains(z: Tensor) -> Tensor:
    """Rows that are joined by being one another's nearest, directly or through others: n × d of length one -> int64, n."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    next_one = nearest(z, z, 1, exclude_self=True).positions[:, 0].numpy()
    graph = csr_array((np.ones(len(z)), next_one, np.arange(len(z) + 1)), (len(z), len(z)))
    return torch.from_numpy(connected_components(graph, connection="weak")[1].astype(np.int64))


def merged(affinity: Any, labels: Tensor, times: int) -> Tensor:
    """Labels 0 … c − 1 (int64, n) after so many pairs of clusters, the nearest each time, became one: again from 0.

    c × c numbers are held. Of a and b with members i, j and affinities W the nearness is the sum of W_ir W_rj over i, j in a
    and r in b, by |a|², and the same the other way round.
    """
    between, sizes = _between(affinity, labels.numpy()), np.bincount(labels.numpy()).astype(np.float64)
    part = np.arange(len(sizes))  # into which cluster each one went
    for _ in range(times):
        kept, gone = sorted(_nearest_pair(between, sizes))
        between[:, kept] += between[:, gone]
        between[kept] += between[gone]
        sizes[kept] += sizes[gone]
        last = len(sizes) - 1  # takes the place of what is gone
        between[:, gone], between[gone] = between[:, last], between[last]
        sizes[gone] = sizes[last]
        np.fill_diagonal(between, 0)
        between, sizes = between[:last, :last], sizes[:last]
        part[part == gone] = kept
        part[part == last] = gone
    return torch.from_numpy(part)[labels]


def agglomerated(z: Tensor, clusters: int, k: int, share: float) -> Tensor:
    """From chains to so many clusters; affinities of clusters are summed anew after each `share` of them has been merged."""
    labels, affinity = chains(z), affinities(z, k)
    while (count := int(labels.max()) + 1) > clusters:
        labels = merged(affinity, labels, min(math.ceil(share * count), count - clusters))
    return labels


def _between(affinity: Any, labels: np.ndarray) -> np.ndarray:
    """For clusters a and b the sum over r in b of what reaches r from a times what reaches a from r: c × c, 0 for a itself."""
    from scipy.sparse import csr_array

    n = len(labels)
    member = csr_array((np.ones(n), labels, np.arange(n + 1)))
    both = (affinity.T @ member).multiply(affinity @ member)
    found = np.ascontiguousarray((member.T @ both).toarray().T)
    np.fill_diagonal(found, 0)
    return found


def _nearest_pair(between: np.ndarray, sizes: np.ndarray) -> tuple[int, int]:
    """The two clusters that are to become one."""
    squares = sizes**2
    near = torch.from_numpy(between / squares[:, None] + between.T / squares).fill_diagonal_(-1)
    if len(sizes) <= MANY:
        return divmod(int(near.argmax()), len(sizes))
    best, other = near.topk(GAPS + 1, dim=1)
    one = int((best[:, 0] + (best[:, :1] - best[:, 1:]).mean(1)).argmax())
    return one, int(other[one, 0])
