"""Confidences that mean what they say: one temperature for all logits, and how far off they were before and after."""

import math

import torch
from torch import Tensor

COLDEST, HOTTEST = 1e-3, 1e3
HALVINGS = 60
BINS = 15


def temperature(logits: Tensor, labels: Tensor) -> float:
    """The T that minimises the cross-entropy of softmax(logits / T): n × C, labels int64 n.

    Guo et al. 2017 (arXiv:1706.04599, section 4.2), by bisection: the cross-entropy is convex in 1/T. Differs: a sample more is
    counted, of every class alike, as Platt 1999 counts one in two classes; else a few logits that are all right would be
    given a confidence of 1.
    """
    z = logits.double()
    n, told = len(z), z[torch.arange(len(z)), labels]
    truth = float((told.sum() + z.mean()) / (n + 1))  # of the slope in 1/T: what the logits of the labels come to

    def falls(inverse: float) -> bool:
        expected = ((inverse * z).softmax(1) * z).sum(1)
        return float((expected.sum() + expected.mean()) / (n + 1)) < truth

    low, high = math.log(1 / HOTTEST), math.log(1 / COLDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falls(math.exp(middle)) else (low, middle)
    return math.exp(-low)


def confidences(logits: Tensor, temperature: float) -> Tensor:
    """The probability of the class that is given, by sample: n × C -> float64, n."""
    return (logits.double() / temperature).softmax(1).amax(1)


def calibration_error(confidence: Tensor, right: Tensor) -> float:
    """The expected calibration error over 15 bins of equal width (Guo et al. 2017, equation 3): n, bool n."""
    place = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    gap = (confidence - right.double()).double()
    return float(torch.zeros(BINS, dtype=torch.float64).index_add(0, place, gap).abs().sum() / len(confidence))
