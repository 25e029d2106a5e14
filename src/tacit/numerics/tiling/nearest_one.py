"""The one nearest of a few thousand centroids, for each of many rows: exact, though most products are taken in low precision.

A tile of products in low precision leaves the centroids that could still be nearest, by a bound on its error: mostly one or
two, of which products are taken again in float32. Choosing is two passes over a row of the tile, which is in the cache.
"""

import numba
import numpy as np
import torch
from torch import Tensor

from tacit.numerics.tiling.sums import FAST, entries, number
from tacit.numerics.tiling.threads import workers
from tacit.numerics.topk import _screening

CELLS = 1 << 19  # of a tile


@torch.no_grad()
def nearest_one(x: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row the number of the nearest centroid, the first of equals, and the squared distance: n × d, k × d -> n, n.

    float32 on a CPU, finite. Rows and centroids are moved so that the centroids' mean is 0, where less is lost by rounding.
    With u the unit roundoff, rounding x, c and their product moves it by no more than (3u + 3u²) |x| |c|, and sums of d
    products in float32 by 2⁻²³ d |x| |c|.
    """
    n, d = x.shape
    mean = centroids.mean(0)
    moved = (centroids - mean).contiguous()
    halves, longest = moved.square().sum(1) / 2, moved.norm(dim=1).max()
    kind = (_screening(x.device) or [torch.bfloat16])[0]  # bfloat16 where products of float32 are rounded to it anyway
    low, share = moved.to(kind), 1.5 * torch.finfo(kind).eps * 1.02 + 2.0**-22 * d
    labels, distances = torch.empty(n, dtype=torch.int64), torch.empty(n)
    some = max(16, CELLS // len(moved))

    def tile(start: int) -> None:
        rows = slice(start, start + some)
        here = x[rows] - mean
        errors = share * here.norm(dim=1) * longest
        products = here.to(kind) @ low.T
        given = (here, moved, halves, errors, labels[rows], distances[rows])
        _choose(entries(products), *(part.numpy() for part in given))

    with workers(x.device) as each:
        each(tile, range(0, n, some))
    return labels, distances


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _choose(products, rows, centroids, halves, errors, labels, distances):
    for i in range(len(rows)):
        best = np.int32(-(2**31) + 1)
        for j in range(len(halves)):
            best = max(best, _ordered(number(products[i, j]) - halves[j]))
        least = _value(best) - np.float32(2) * errors[i] - np.abs(_value(best)) * np.float32(1e-6)
        many, places = 0, 0
        for j in range(len(halves)):
            could = number(products[i, j]) - halves[j] >= least
            many += could
            places += could * j
        nearest, distance = 0, np.float32(np.inf)
        for j in range(len(halves) if many > 1 else 1):
            place = j if many > 1 else places
            if many > 1 and not number(products[i, j]) - halves[j] >= least:
                continue
            away = np.float32(0)
            for t in range(rows.shape[1]):
                away += (rows[i, t] - centroids[place, t]) ** 2
            if away < distance:
                nearest, distance = place, away
        labels[i], distances[i] = nearest, distance


@numba.njit(cache=True, nogil=True)
def _ordered(x):
    """An integer in the order of float32, which is compared faster."""
    bits = np.float32(x).view(np.int32)
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@numba.njit(cache=True, nogil=True)
def _value(ordered):
    return np.int32(ordered ^ ((ordered >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)
