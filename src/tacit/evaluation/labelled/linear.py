"""The linear probe: multinomial logistic regression on frozen, standardised features.

All penalties of the sweep are trained together: their heads lie side by side in one matrix, so that an iteration is two
matrix products however many there are.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
COMPONENTS = 1024  # features wider than this are cut to their first principal components
CELLS = 1 << 22  # logits held at once
FEWEST = 10  # train samples
TOLERANCE = 1e-6  # nats of mean cross-entropy


class Probe(NamedTuple):
    """Heads on standardised, rotated features."""

    mean: Tensor  # d
    axes: Tensor  # d × c: scales to unit variance, then turns to the principal axes
    weights: Tensor  # heads × classes × (c + 1); the last column is the intercept
    classes: Tensor  # int64, sorted
    steps: int  # that were needed


def linear(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    penalties: tuple[float, ...] = PENALTIES,
    iterations: int = 100,
) -> Number:
    """Accuracy of multinomial logistic regression, features n × d and m × d, labels int64.

    Minimises mean cross-entropy + λ/2 ‖W‖² (scikit-learn's C is 1 / (n λ)); the intercept is not penalised. λ is chosen on
    a fifth of the train part, drawn by a hash of the row's number and never the test part, then the head is fitted again on
    the whole train part. Features are standardised by the train part. Protocol: Kornblith et al. 2019, arXiv:1805.08974,
    appendix; they use L-BFGS, here `fit`. A test label that no train sample has counts as an error.
    """
    held = counter.uniform(counter.key("linear probe, held out"), np.arange(len(train)), 1)[:, 0] < 0.2
    kept_rows, held_rows = (torch.from_numpy(np.flatnonzero(part)).to(train.device) for part in (~held, held))
    if len(train) < FEWEST or len(train_labels[kept_rows].unique()) < 2 or len(held_rows) == 0:
        why = f"{len(train)} train samples are too few to fit on four fifths of them and choose the penalty on the rest."
        return missing("linear", why)
    probe = fit(train[kept_rows], train_labels[kept_rows], penalties, iterations)
    right = predict(probe, train[held_rows]) == train_labels[held_rows]
    scores = right.sum(1).tolist()
    chosen = max(zip(scores, penalties))[1]  # of equally good ones the strongest
    final = fit(train, train_labels, (chosen,), iterations)
    hits = int((predict(final, test)[0] == test_labels).sum())
    d = train.shape[1]
    cut = f", first {COMPONENTS} of {d} principal components" if d > COMPONENTS else ""
    protocol: dict[str, Any] = {
        "train": len(train),
        "test": len(test),
        "penalty": chosen,
        "penalties": list(penalties),
        "chosen_on": f"{len(held_rows)} held-out train samples",
        "iterations": f"{final.steps} of at most {iterations}",
        "features": f"standardised by the train part{cut}",
        "interval": "Wilson, 95 %",
    }
    return Number("linear", hits / len(test), *wilson(hits, len(test)), protocol)


def fit(features: Tensor, labels: Tensor, penalties: tuple[float, ...], iterations: int = 100) -> Probe:
    """One head per penalty, by preconditioned gradient descent with Barzilai and Borwein's step (1988).

    The Hessian of the cross-entropy is at most ½ XᵀX for every class (Böhning 1992), so in the principal axes of the
    features, whatever their conditioning, 1 / (½ s_j + λ) is a safe step for axis j of variance s_j. Barzilai and Borwein
    stretch it, per head, by what the last step saw of the true curvature. Steps are not monotone: the weights of smallest
    gradient g are kept, and it ends when ½ gᵀPg, what a safe step would gain in nats, is below TOLERANCE for every head.
    """
    mean, axes, variance = _axes(features)
    classes, target = labels.unique(return_inverse=True)
    x = _project(features, mean, axes)
    penalty = torch.tensor(penalties, device=x.device)[:, None, None] * torch.cat([torch.ones_like(variance), x.new_zeros(1)])
    safe = 1 / (0.5 * torch.cat([variance, x.new_ones(1)]) + penalty)
    weights = x.new_zeros(len(penalties), len(classes), x.shape[1])
    slope = _gradient(x, target, weights)
    best, smallest, stretch = weights, x.new_full((len(penalties), 1, 1), torch.inf), x.new_ones(len(penalties), 1, 1)
    steps = 0
    while steps < iterations:
        direction = safe * slope
        gain = (slope * direction).sum((1, 2), keepdim=True)
        best, smallest = torch.where(gain < smallest, weights, best), gain.minimum(smallest)
        if bool((0.5 * smallest < TOLERANCE).all()):
            break
        weights, steps = weights - stretch * direction, steps + 1
        slope = _gradient(x, target, weights) + penalty * weights
        left = (slope * direction).sum((1, 2), keepdim=True)
        stretch = (stretch * gain / (gain - left).clamp_min(1e-30)).clamp(1, 1e4)  # the bound says it is at least 1
    return Probe(mean, axes, best, classes, steps)


def predict(probe: Probe, features: Tensor) -> Tensor:
    """The label each head gives each sample: int64, heads × m."""
    heads, classes, width = probe.weights.shape
    flat = probe.weights.reshape(-1, width)
    tiles = features.split(max(1, CELLS // len(flat)))
    logits = ((flat @ _project(tile, probe.mean, probe.axes).T).view(heads, classes, -1) for tile in tiles)
    return probe.classes[torch.cat([tile.argmax(1) for tile in logits], dim=1)]


def _axes(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (d), the map to principal axes of the standardised features (d × c), and their variances (c)."""
    deviation, mean = torch.std_mean(features.float(), dim=0, correction=0)
    constant = deviation <= 1e-6 * mean.abs().clamp_min(1e-6)  # nothing but rounding
    scale = torch.where(constant, 0.0, 1 / torch.where(constant, 1.0, deviation))
    if len(features) < len(mean):  # the axes lie in the span of the samples: the same by the smaller Gram matrix
        x = (features.float() - mean) * scale
        variance, turns = torch.linalg.eigh((x @ x.T).double() / len(x))
        variance, turns = variance.flip(0)[:COMPONENTS].clamp_min(0).float(), turns.flip(1)[:, :COMPONENTS].float()
        seen = variance > 1e-6 * variance[0]  # an axis along which nothing varies is left at 0
        axes = (x.T @ turns) * torch.where(seen, (len(x) * variance.clamp_min(1e-30)).rsqrt(), 0.0)
        return mean, scale[:, None] * axes, variance * seen
    covariance = features.new_zeros(len(mean), len(mean), dtype=torch.float32)
    for tile in features.split(4096):
        tile = (tile.float() - mean) * scale
        covariance.addmm_(tile.T, tile)
    variance, axes = torch.linalg.eigh(covariance / len(features))
    variance, axes = variance.flip(0)[:COMPONENTS].clamp_min(0), axes.flip(1)[:, :COMPONENTS]
    return mean, scale[:, None] * axes, variance


def _project(features: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    """n × (c + 1), with a last column of ones."""
    return torch.nn.functional.pad((features.float() - mean) @ axes, (0, 1), value=1.0)


def _gradient(x: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Of the mean cross-entropy of every head, in the shape of the weights."""
    heads, classes, width = weights.shape
    flat, total = weights.reshape(-1, width), x.new_zeros(heads * classes, width)
    rows = max(1, CELLS // len(flat))
    for tile, labels in zip(x.split(rows), target.split(rows)):
        error = (flat @ tile.T).view(heads, classes, -1).softmax(1).clamp_min_(1e-30)  # subnormal numbers are slow
        error[:, labels, torch.arange(len(tile), device=x.device)] -= 1
        total.addmm_(error.view(len(flat), -1), tile)
    return total.view_as(weights) / len(x)
