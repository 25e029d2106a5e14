"""How well items are recommended: Recall@k and nDCG@k, of all relevant items and of those that are seldom chosen."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TILE = 512  # users scored together


class Ranked(NamedTuple):
    """Means over the users that have a relevant item of that kind."""

    recall: float  # of a user's relevant items, the share among the first k
    ndcg: float
    users: int


def recommend(
    scores: Callable[[np.ndarray], np.ndarray], seen: np.ndarray, wanted: np.ndarray, counted: np.ndarray, k: int = 10
) -> Ranked:
    """Rank all items but those that a user has seen, and look for the wanted ones among the first k.

    scores(users) -> len(users) × items, larger is better; of equal scores the item of the smaller number comes first. seen and
    wanted: int64, pairs × 2, user and item; wanted pairs that were seen are left out. counted: bool, items: the relevant ones
    that count (all, or the seldom chosen), all others being ranked alike. nDCG: binary, Järvelin and Kekäläinen 2002.
    """
    items = len(counted)
    known = np.unique(seen[:, 0] * items + seen[:, 1])
    asked = np.setdiff1d(wanted[:, 0] * items + wanted[:, 1], known)
    asked = asked[counted[asked % items]]
    users = np.unique(asked // items)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)
    recalls, gains = [], []
    for start in range(0, len(users), TILE):
        some = users[start : start + TILE]
        table = np.array(scores(some), np.float64)
        row = np.searchsorted(some, known // items)
        mine = (row < len(some)) & (some[np.minimum(row, len(some) - 1)] == known // items)
        table[row[mine], known[mine] % items] = -np.inf
        found = np.argsort(-table, axis=1, kind="stable")[:, :k]
        hit = np.isin(some[:, None] * items + found, asked)
        many = np.bincount(np.searchsorted(some, asked[np.isin(asked // items, some)] // items), minlength=len(some))
        recalls.append(hit.sum(1) / many)
        gains.append((hit @ discounts[: found.shape[1]]) / ideal[np.minimum(many, k) - 1])
    if not len(users):
        return Ranked(float("nan"), float("nan"), 0)
    return Ranked(float(np.concatenate(recalls).mean()), float(np.concatenate(gains).mean()), len(users))


def seldom(items: np.ndarray, count: int, share: float = 0.2) -> np.ndarray:
    """Which of `count` items are not among the `share` that was chosen most often: bool; of equal ones the first are."""
    often = np.argsort(-np.bincount(items, minlength=count), kind="stable")[: round(share * count)]
    return ~np.isin(np.arange(count), often)
