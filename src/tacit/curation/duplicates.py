"""Near duplicates by embedding: found exactly, without comparing everything with everything."""

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
import torch
from torch import Tensor

from tacit.numerics import counter
from tacit.numerics.kmeans import assign, lloyd
from tacit.numerics.tiling.seeds import plus_plus
from tacit.numerics.tiling.sums import FAST
from tacit.numerics.tiling.threads import workers

BLOCK = 4096  # rows that are compared with those before them at a time
TILE = 512  # of them that are multiplied at once, so that products stay in the cache
PER_CLUSTER, MOST_CLUSTERS = 128, 2048  # rows of a cluster, about
LEARNED, ROUNDS = 32, 4  # rows for each centroid, and rounds, by which clusters are found: they only save comparisons
SKETCH, LEAST = 8, 24  # one of so many dimensions is looked at first, and at least so many dimensions
SLACK = np.float32(1e-6)  # what a cosine in float32 may be short of the threshold
ERROR = 1e-4  # what rounding may take from the bound by sketches


class Duplicates(NamedTuple):
    """For each row the kept row that it repeats most; of −1 and NaN where it is kept itself."""

    of: np.ndarray  # int64, n
    cosine: np.ndarray  # float32, n


def near_duplicates(x: Tensor, threshold: float) -> Duplicates:
    """Go through rows in order, keep one unless its cosine with a row kept before is `threshold` or more: n × d of length one.

    No two kept rows are as near as the threshold, and every other row has a kept one as near: what comparing all pairs in
    this order gives, to within 1e-6 of the threshold. As in SemDeDup (Abbas et al. 2023, arXiv:2303.09540) rows are compared
    within clusters of k-means; but where SemDeDup misses what lies in two clusters, here a row x of cluster a is compared
    with cluster b wherever a row of b could be near: where it is no farther than √(2 − 2 threshold) from the plane between
    the centroids of a and b. And SemDeDup drops what repeats a dropped row; here only what is kept counts, so that a chain of
    small changes keeps some of its links.

    Of two rows first an eighth of the dimensions is multiplied, the principal ones, with the lengths of what is left of both:
    x·y ≤ x₁·y₁ + |x₂| |y₂|. Only where that bound reaches the threshold are all multiplied. Beside the rows, memory is that of
    these sketches and of a block. Time is that of n² / 2 products of sketches where clusters cannot be told apart, and of a
    small part of them where they can.
    """
    n = len(x)
    of, cosine = np.full(n, -1), np.full(n, np.nan, np.float32)
    kept, asking = prepared(x, threshold)
    with workers(x.device) as each:
        for start in range(0, n, BLOCK):
            tiles = kept.with_block(start, asking(start))
            found = each(lambda tile: compare(x, kept, tile, threshold), tiles)
            decide([some for some in found if len(some.rows)], start, of, cosine)
            kept.add(start, of)
    return Duplicates(of, cosine)


def prepared(x: Tensor, threshold: float) -> tuple["Kept", Callable[[int], Tensor]]:
    """Where kept rows are put, none so far; and of the block that begins at a row, which of its rows must be compared with
    which cluster: bool, block × clusters."""
    centroids = _centroids(x)
    kept = Kept(_sketches(x), assign(x, centroids)[0].numpy(), len(centroids))
    apart, heights = torch.cdist(centroids, centroids), centroids.square().sum(1) / 2
    reach = float(np.sqrt(max(2 - 2 * threshold, 0)))

    def asking(start: int) -> Tensor:
        rows, own = x[start : start + BLOCK], torch.from_numpy(kept.labels[start : start + BLOCK])
        nearness = torch.addmm(heights, rows, centroids.T, beta=-1)
        return nearness >= apart[own].mul_(-reach).add_(nearness.gather(1, own[:, None])).sub_(1e-4)

    return kept, asking


def _sketches(x: Tensor) -> Tensor:
    """The principal dimensions of each row, and the length of what they leave out: their products bound those of the rows."""
    p = min(x.shape[1], max(x.shape[1] // SKETCH, LEAST))
    some = x[torch.from_numpy(counter.permutation(counter.key("sketches"), len(x))[: 16 * x.shape[1]])]
    principal = torch.linalg.eigh(some.T @ some)[1][:, -p:]
    sketches = torch.empty(len(x), p + 1)
    torch.matmul(x, principal, out=sketches[:, :p])
    left = 1 + 1e-6 - sketches[:, :p].square().sum(1)  # rather too long by rounding than too short
    torch.sqrt(left.clamp(min=0), out=sketches[:, p])
    return sketches


def _centroids(x: Tensor) -> Tensor:
    k = min(max(len(x) // PER_CLUSTER, 1), MOST_CLUSTERS)
    key = counter.key("duplicates")
    some = x[torch.from_numpy(np.sort(counter.permutation(key, len(x))[: k * LEARNED]))]
    return lloyd(some, some[plus_plus(some, k, key)], ROUNDS)


class Tile(NamedTuple):
    """Rows that ask, the places that they are to see, and how many of these hold kept rows; the rest are of the block."""

    rows: np.ndarray
    places: slice
    begun: int


class Kept:
    """The sketches of kept rows, those of a cluster beside one another."""

    def __init__(self, sketches: Tensor, labels: np.ndarray, k: int):
        self.sketches, self.labels = sketches, labels
        sizes = np.bincount(labels, minlength=k)
        self.starts, self.counts = np.cumsum(sizes) - sizes, np.zeros(k, np.int64)
        self.seen = torch.empty_like(sketches)  # memory is taken as it is filled
        self.members: np.ndarray = np.empty(len(sketches), np.int64)

    def with_block(self, start: int, asking: Tensor) -> list[Tile]:
        """Put the rows of a block behind the kept ones: for each cluster what is to be compared."""
        rows = np.arange(start, min(start + BLOCK, len(self.labels)))
        self._put(rows)
        ends = self.counts + np.bincount(self.labels[rows], minlength=len(self.counts))
        filled = np.flatnonzero(ends)
        by_cluster = asking.T.contiguous().numpy()
        tiles = (
            Tile(start + np.flatnonzero(by_cluster[c]), slice(self.starts[c], self.starts[c] + ends[c]), int(self.counts[c]))
            for c in filled
        )
        return [tile for tile in tiles if len(tile.rows)]

    def add(self, start: int, of: np.ndarray) -> None:
        """Leave behind the kept ones those rows of the block that are kept."""
        rows = np.arange(start, min(start + BLOCK, len(self.labels)))
        rows = rows[of[rows] < 0]
        self._put(rows)
        self.counts += np.bincount(self.labels[rows], minlength=len(self.counts))

    def _put(self, rows: np.ndarray) -> None:
        order = rows[np.argsort(self.labels[rows], kind="stable")]
        of = self.labels[order]
        first = np.flatnonzero(np.diff(of, prepend=-1))
        rank = np.arange(len(of)) - np.repeat(first, np.diff(np.append(first, len(of))))
        place = self.starts[of] + self.counts[of] + rank
        self.members[place] = order
        self.seen[torch.from_numpy(place)] = self.sketches[torch.from_numpy(order)]


class Near(NamedTuple):
    """Pairs that are as near as the threshold: with each kept row the best only, with rows of the block all."""

    rows: np.ndarray  # int64
    others: np.ndarray  # int64, before them
    cosines: np.ndarray  # float32


def compare(x: Tensor, kept: Kept, tile: Tile, threshold: float) -> Near:
    """Who of the rows that ask is near to whom."""
    rows, places, begun = tile
    others, seen = kept.members[places], kept.seen[places]
    least = np.float32(threshold - ERROR)
    found = []
    for start in range(0, len(rows), TILE):
        some = rows[start : start + TILE]
        bounds = (kept.sketches[torch.from_numpy(some)] @ seen.T).numpy()
        found.append(_near(bounds, x.numpy(), some, others, begun, least, np.float32(threshold) - SLACK))
    return Near(*map(np.concatenate, zip(*found)))


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _near(bounds, x, rows, others, begun, could, threshold):
    """Of the first `begun` of the others, which are kept, the nearest to each row; of the rest all that come before it."""
    many = len(rows)
    for i in range(len(rows)):
        for j in range(begun, len(others)):
            many += bounds[i, j] >= could and others[j] < rows[i]
    found, who, cosines = np.empty(many, np.int64), np.empty(many, np.int64), np.empty(many, np.float32)
    count = 0
    for i in range(len(rows)):
        best, nearest = np.float32(-2), -1
        for j in range(len(others)):
            if not bounds[i, j] >= could or others[j] >= rows[i]:
                continue
            cosine = np.float32(0)
            for t in range(x.shape[1]):
                cosine += x[rows[i], t] * x[others[j], t]
            if cosine < threshold:
                continue
            if j >= begun:
                found[count], who[count], cosines[count] = rows[i], others[j], cosine
                count += 1
            elif cosine > best or (cosine == best and others[j] < nearest):
                best, nearest = cosine, others[j]
        if nearest >= 0:
            found[count], who[count], cosines[count] = rows[i], nearest, best
            count += 1
    return found[:count], who[:count], cosines[:count]


def decide(near: list[Near], start: int, of: np.ndarray, cosine: np.ndarray) -> None:
    """Give each row of the block the nearest kept row before it, if there is one."""
    if near:
        rows, others, cosines = (np.concatenate(column) for column in zip(*near))
        order = np.lexsort((others, rows))
        _first_come(rows[order], others[order], cosines[order], of, cosine)


@numba.njit(cache=True)
def _first_come(rows, others, cosines, of, cosine):
    """Pairs sorted by row: whoever comes before a row is decided when its turn comes."""
    for i in range(len(rows)):
        row, other = rows[i], others[i]
        if of[other] < 0 and (of[row] < 0 or cosines[i] > cosine[row]):
            of[row], cosine[row] = other, cosines[i]
