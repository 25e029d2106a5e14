"""How good a head is, by the logits that it gave samples whose label it had not seen."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import NAN, Number, missing
from tacit.few_labels.abstention import threshold
from tacit.few_labels.calibration import calibration_error, confidences, temperature


class Judged(NamedTuple):
    """What calibrates a head, and its numbers."""

    temperature: float
    threshold: float
    numbers: list[Number]


def accuracy(logits: Tensor, labels: Tensor, folds: int) -> Number:
    """Of cross-validated logits, m × C, labels int64 m."""
    right, n = int((logits.argmax(1) == labels).sum()), len(labels)
    protocol = {"test": n, "folds": folds, "interval": "Wilson, 95 %"}
    return Number("cross_validated", right / n, *wilson(right, n), protocol)


def majority(labels: Tensor) -> Number:
    """What the commonest class alone would reach on the same samples: int64 m."""
    right, n = int(labels.bincount().max()), len(labels)
    return Number("majority", right / n, *wilson(right, n), {"test": n, "interval": "Wilson, 95 %"})


def judged(logits: Tensor, labels: Tensor, held: np.ndarray, wanted: float) -> Judged:
    """Temperature and threshold by all cross-validated logits, m × C, and their numbers; labels int64 m, held bool k × m.

    What is told of the calibrated head is crossed too: the samples of a fold have the temperature and the threshold of the
    others'.
    """
    right = logits.argmax(1) == labels
    warm, answered = torch.zeros(len(labels), dtype=torch.float64), torch.zeros(len(labels), dtype=torch.bool)
    for part in torch.from_numpy(held):
        own = temperature(logits[~part], labels[~part])
        warm[part] = confidences(logits[part], own)
        answered[part] = warm[part] >= threshold(confidences(logits[~part], own), right[~part], wanted)
    final = temperature(logits, labels)
    n, told, wrong = len(labels), int(answered.sum()), int((answered & ~right).sum())
    binned = {"test": n, "bins": "15 of equal width", "interval": "none: of few samples it is too large, by their noise"}
    ways = {"wanted": wanted, "threshold_by": "the other folds"}
    numbers = [
        Number("uncalibrated", calibration_error(confidences(logits, 1.0), right), NAN, NAN, binned),
        Number("calibrated", calibration_error(warm, right), NAN, NAN, binned | {"temperature_by": "the other folds"}),
        Number("coverage", told / n, *wilson(told, n), {"test": n, **ways, "interval": "Wilson, 95 %"}),
        Number("answered_error", wrong / told, *wilson(wrong, told), {"test": told, **ways, "interval": "Wilson, 95 %"})
        if told
        else missing("answered_error", "with the thresholds of the other folds no sample is answered.", **ways),
    ]
    return Judged(final, threshold(confidences(logits, final), right, wanted), numbers)
