"""Classification of whole graphs by ten folds, as the field reports it."""

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import student
from tacit.evaluation.labelled.logistic import best_cost, one_vs_rest, scores
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

COSTS = tuple(10.0**power for power in range(-3, 4))
FOLDS = 10


def graph_classification(features: Tensor, labels: Tensor, folds: np.ndarray | None = None, seed: int = 0) -> Number:
    """Mean accuracy over folds: features G × d, labels int64, G; folds bool, k × G, or None for ten stratified ones.

    Features are standardised by the train part; one-vs-rest logistic regression, its cost among 10^-3 … 10^3 by five folds of
    the train part. The field's protocol (Sun et al. 2020, arXiv:1908.01000, section 5.1) has a linear SVM in its place.
    """
    if folds is None:
        folds = stratified(labels.numpy(), FOLDS, counter.key(seed, "folds"))
    values = []
    for held in folds:
        train, test = (torch.from_numpy(np.flatnonzero(part & (labels >= 0).numpy())) for part in (~held, held))
        classes = labels[train].unique()
        if len(train) < FOLDS or len(classes) < 2 or not len(test):
            return missing("graphs_folds", f"a fold leaves {len(train)} graphs to learn from and {len(test)} to test on.")
        deviation, mean = torch.std_mean(features[train], 0, correction=0)
        x = (features - mean) / torch.where(deviation > 0, deviation, 1.0)
        train = train[
            torch.from_numpy(counter.permutation(counter.key(seed, "order"), len(train)))
        ]  # the inner folds are of neighbours
        targets = labels[train][:, None] == classes
        (head,) = one_vs_rest(x[train], targets, (best_cost(x[train], targets, COSTS),))
        values.append(float((classes[scores(head, x[test]).argmax(1)] == labels[test]).float().mean()))
    low, high = student(np.array(values))
    protocol = {
        "folds": len(values),
        "graphs": len(labels),
        "deviation": float(np.std(values)),
        "classifier": "one-vs-rest logistic regression on standardised features, cost 10^-3 … 10^3 by five folds",
        "interval": f"t over {len(values)} folds, 95 %",
    }
    return Number("graphs_folds", float(np.mean(values)), low, high, protocol)


def stratified(labels: np.ndarray, folds: int, key: int) -> np.ndarray:
    """Test parts of equal size with classes in equal shares, as far as that goes: bool, folds × G."""
    shuffled = counter.permutation(key, len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    held: np.ndarray = np.zeros((folds, len(labels)), bool)
    held[np.arange(len(order)) % folds, order] = True
    return held
