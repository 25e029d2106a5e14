"""Numbers of clusters that stay when the same things are clustered again."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment


def renumbered(labels: np.ndarray, ids: Sequence[str], before: dict[str, int]) -> np.ndarray:
    """Labels in which each cluster has the number of the earlier one that it shares most rows with: int64, n.

    before  the number of each id's cluster, −1 for none

    One to one, so that most rows keep their number in all (Kuhn 1955). Clusters that share none with any that is left take new
    numbers, above all earlier ones; −1 stays.
    """
    earlier = np.array([before.get(id, -1) for id in ids], np.int64)
    new, old = (np.unique(some[some >= 0]) for some in (labels, np.array([*before.values()], np.int64)))
    both = (labels >= 0) & (earlier >= 0)
    shared = np.zeros((len(new), len(old)))
    np.add.at(shared, (np.searchsorted(new, labels[both]), np.searchsorted(old, earlier[both])), 1)
    rows, columns = linear_sum_assignment(-shared)
    number = {int(new[row]): int(old[column]) for row, column in zip(rows, columns) if shared[row, column]}
    fresh = int(max(before.values(), default=-1)) + 1
    for label in new.tolist():
        if label not in number:
            number[label], fresh = fresh, fresh + 1
    table = np.array([number[label] for label in new.tolist()], np.int64)
    return np.where(labels < 0, -1, table[np.searchsorted(new, labels)] if len(new) else -1)
