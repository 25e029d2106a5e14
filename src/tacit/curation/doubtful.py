"""Labels that the neighbours of a sample contradict."""

from typing import NamedTuple

import numpy as np

from tacit.numerics.topk import Neighbours


class Doubts(NamedTuple):
    """What neighbours say of each sample's label."""

    doubtful: np.ndarray  # bool, n
    agreed: np.ndarray  # float32, n: the share of neighbours of the same label; NaN without a label
    instead: np.ndarray  # int64, n: the class that a doubtful label rather is; −1 elsewhere


def doubts(found: Neighbours, labels: np.ndarray) -> Doubts:
    """Confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, equations 1 and 2) on votes of neighbours.

    found   the neighbours of each sample among all n, itself left out, so that no label votes for itself
    labels  int64, n, −1 for unlabelled, which neither vote nor are doubted

    The probability of a class is its share of the votes. A class is possible for a sample where it is as probable as it is on
    average for those that bear its label; a label is doubtful where the most probable of the possible classes is another. Other
    than in the paper probabilities come from neighbours and not from a network that is trained in folds.
    """
    classes = int(labels.max()) + 1
    votes = labels[found.positions.numpy()]
    shares = np.zeros((len(labels), classes), np.float32)
    row, column = np.nonzero(votes >= 0)
    np.add.at(shares, (row, votes[row, column]), 1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    known = np.flatnonzero(labels >= 0)
    agreed = np.full(len(labels), np.nan, np.float32)
    agreed[known] = shares[known, labels[known]]
    bearers = np.bincount(labels[known], minlength=classes)
    average = np.bincount(labels[known], weights=agreed[known], minlength=classes) / np.maximum(bearers, 1)
    possible = np.where((shares >= average) & (bearers > 0) & (shares > 0), shares, -1)
    best = possible.argmax(1)
    other = (labels >= 0) & (possible.max(1) > 0) & (best != labels)
    other[known] &= shares[known, best[known]] > agreed[known]
    return Doubts(other, agreed, np.where(other, best, -1))
