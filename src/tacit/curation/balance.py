"""How many of each cluster are kept, and which: a budget poured over clusters as water fills vessels of unlike heights."""

from collections.abc import Sequence

import numpy as np

from tacit.numerics import counter


def water_filled(sizes: np.ndarray, target: int, key: int) -> np.ndarray:
    """How many to take of each cluster, `target` in all or everything if there is less: int64.

    The largest cap c with Σ min(c, size) ≤ target; what is left of the target goes one each to clusters above the cap, drawn
    at random. So small clusters are taken whole and no large one gives two more than another.
    """
    ordered = np.sort(sizes)
    below = np.cumsum(ordered) - ordered
    left = len(sizes) - np.arange(len(sizes))
    over = np.flatnonzero(below + ordered * left > target)  # capped at that size, the sum would be too large
    if not len(over):
        return np.asarray(sizes, np.int64)
    cap = int((target - below[over[0]]) // left[over[0]])
    taken = np.minimum(sizes, cap)
    above = np.flatnonzero(sizes > cap)
    taken[above[counter.permutation(key, len(above))[: target - taken.sum()]]] += 1
    return taken


def shared_down(levels: Sequence[np.ndarray], target: int, seed: int) -> np.ndarray:
    """How many to take of each cluster of the finest level: int64, k₁. `levels` are those of `hierarchical_kmeans`.

    From the top, each cluster's budget is poured over its children by the number of rows under them (Vo et al. 2024,
    section 3.3).
    """
    sizes = [np.bincount(levels[0])]
    for labels in levels[1:]:
        sizes.append(np.bincount(labels, weights=sizes[-1]).astype(np.int64))
    taken = water_filled(sizes[-1], target, counter.key(seed, "balance"))
    for level in range(len(levels) - 1, 0, -1):
        parents, budget = levels[level], taken
        taken = np.zeros(len(parents), np.int64)
        order = np.argsort(parents, kind="stable")
        for parent, children in enumerate(np.split(order, np.bincount(parents).cumsum()[:-1])):
            key = counter.key(seed, "balance", level, parent)
            taken[children] = water_filled(sizes[level - 1][children], int(budget[parent]), key)
    return taken


def first_of_each(labels: np.ndarray, order: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The positions of the counts[c] members of each cluster c that have the smallest `order`, sorted."""
    by_cluster = np.lexsort((order, labels))
    starts = np.bincount(labels, minlength=len(counts)).cumsum() - np.bincount(labels, minlength=len(counts))
    of = labels[by_cluster]
    return np.sort(by_cluster[np.arange(len(labels)) - starts[of] < counts[of]])


def at_random(n: int, seed: int) -> np.ndarray:
    """An order of n rows without any reason: float32, n."""
    return counter.uniform(counter.key(seed, "order"), np.arange(n), 1)[:, 0]
