"""Nodes of several labels each, by DeepWalk's protocol: micro- and macro-F1 at several shares of labelled nodes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.labelled.logistic import one_vs_rest, scores
from tacit.numerics import counter

SHARES, SPLITS = (0.1, 0.5, 0.9), 10


class F1(NamedTuple):
    """In [0, 1]: of all predictions together, and the mean over labels."""

    micro: float
    macro: float


def label_f1(
    features: Tensor, labels: Tensor, shares: Sequence[float] = SHARES, splits: int = SPLITS, seed: int = 0
) -> dict[float, F1]:
    """The mean over random splits, by the share of nodes that are learned from; features N × d, labels bool, N × K.

    One-vs-rest logistic regression of cost 1 on the vectors as they are; a test node that has k labels is given the k of the
    highest score (Perozzi et al. 2014, section 5; Tang and Liu 2009). Differs from the official code: the weight of the
    constant is penalised too, as by liblinear; nodes without labels are left out.
    """
    some = labels.any(1)
    x, y = features[some].double(), labels[some].bool()
    found = {}
    for share in shares:
        each = []
        for split in range(splits):
            order = torch.from_numpy(counter.permutation(counter.key(seed, "labels", split), len(x)))
            train, test = order[: int(share * len(x))], order[int(share * len(x)) :]
            (heads,) = one_vs_rest(x[train], y[train], (1.0,))
            each.append(f1(as_many(scores(heads, x[test]), y[test].sum(1)), y[test]))
        found[share] = F1(*np.mean(each, 0).tolist())
    return found


def as_many(scores: Tensor, counts: Tensor) -> Tensor:
    """The counts[i] labels of the highest score of each row: bool, n × K."""
    place = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return place < counts[:, None]


def f1(predicted: Tensor, labels: Tensor) -> F1:
    """Micro- and macro-F1 of bool n × K; a label that neither has nor gets anything counts as 0, as by scikit-learn."""
    right = (predicted & labels).sum(0).double()
    both = predicted.sum(0) + labels.sum(0)
    return F1(float(2 * right.sum() / both.sum().clamp(min=1)), float((2 * right / both.clamp(min=1)).mean()))
