"""Classification of nodes by the protocols of the field: splits drawn at random, and splits that a source declares."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import student
from tacit.evaluation.labelled.logistic import COSTS, best_cost, one_vs_rest, scores
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter
from tacit.numerics.exact import unit

TRAIN, VAL, TEST = 1, 2, 3  # in a declared split; 0 is neither
SHARE, SPLITS = 0.1, 5  # of the nodes that are learned from at random, and how often
FEWEST = 10  # nodes to learn from


def node_classification(
    features: Tensor, labels: Tensor, declared: Mapping[str, np.ndarray], seed: int = 0, splits: int = SPLITS
) -> list[Number]:
    """Accuracy on random splits, on the first declared single split and on the first declared series of splits.

    features N × d; labels int64, N, −1 for none; declared: name -> k × N of 0 (neither), 1 (train), 2 (val), 3 (test).
    Rows of length one; one-vs-rest logistic regression, its cost among 2^-10 … 2^9 chosen on the val part, or where there is
    none by five folds of the train part. Random splits learn from 10 % of the nodes and test on all others, as the official
    code of GRACE does (Zhu et al. 2020, arXiv:2006.04131; CRIPAC-DIG/GRACE@161e42b, eval.py).
    """
    known = (labels >= 0).numpy()
    chance = np.stack([random_split(known, SHARE, counter.key(seed, "nodes", i)) for i in range(splits)])
    single = {name: marks for name, marks in declared.items() if len(marks) == 1}
    series = {name: marks for name, marks in declared.items() if len(marks) > 1}
    found = [_accuracy("nodes_random", features, labels, chance, f"random, {SHARE:.0%} to learn from")]
    for number, given in (("nodes_fixed", single), ("nodes_splits", series)):
        if given:
            name, marks = next(iter(given.items()))
            found.append(_accuracy(number, features, labels, marks, f"declared as {name}"))
    return found


def random_split(known: np.ndarray, share: float, key: int) -> np.ndarray:
    """A split of those that have a label: N of 0, 1 and 3, a share of them to learn from, rounded down as by scikit-learn."""
    rows = np.flatnonzero(known)
    rows = rows[counter.permutation(key, len(rows))]
    marks: np.ndarray = np.zeros(len(known), np.int8)
    marks[rows] = TEST
    marks[rows[: int(share * len(rows))]] = TRAIN
    return marks


def _accuracy(name: str, features: Tensor, labels: Tensor, splits: np.ndarray, how: str) -> Number:
    values, sizes = [], {}
    for marks in splits:
        usable = np.where((labels >= 0).numpy(), marks, 0)
        train, val, test = (torch.from_numpy(np.flatnonzero(usable == mark)) for mark in (TRAIN, VAL, TEST))
        if len(train) < FEWEST or len(labels[train].unique()) < 2 or not len(test):
            return missing(name, f"a split {how} leaves {len(train)} nodes to learn from and {len(test)} to test on.")
        values.append(_right(unit(features), labels, train, val, test))
        sizes = {"train": len(train), "val": len(val), "test": len(test)}
    low, high = student(np.array(values)) if len(values) > 1 else (float("nan"), float("nan"))
    protocol = {
        **sizes,
        "splits": f"{len(values)}, {how}",
        "deviation": float(np.std(values)),
        "classifier": "one-vs-rest logistic regression on rows of length one, cost 2^-10 … 2^9 by val or five folds",
        "interval": f"t over {len(values)} splits, 95 %" if len(values) > 1 else "none: one split",
    }
    return Number(name, float(np.mean(values)), low, high, protocol)


def _right(x: Tensor, labels: Tensor, train: Tensor, val: Tensor, test: Tensor) -> float:
    """The share of test nodes whose highest head is right."""
    classes = labels[train].unique()
    targets = labels[train][:, None] == classes
    if len(val):
        heads = one_vs_rest(x[train], targets)
        right = (classes[scores(heads, x[val]).argmax(2)] == labels[val]).float().mean(1)
        head = heads[int(right.argmax())]
    else:
        (head,) = one_vs_rest(x[train], targets, (best_cost(x[train], targets, COSTS),))
    return float((classes[scores(head, x[test]).argmax(1)] == labels[test]).float().mean())
