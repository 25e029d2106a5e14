"""The linear probe: multinomial logistic regression on frozen, standardised features.

The penalties of a sweep are trained together: their heads lie side by side in one matrix, so that an iteration is two
matrix products however many there are. Long sweeps are trained at a few penalties and interpolated.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.errors import positive
from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
COMPONENTS = 1024  # features wider than this are cut to their first principal components
MEMORY = 5  # steps that L-BFGS remembers: ten times the weights of all heads in training
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
    appendix; L-BFGS there and here. A test label that no train sample has counts as an error.
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
    """One head per penalty, each above 0, in at most so many iterations (twice that where the penalties are many).

    The solution is a smooth function of log λ, analytic like s / (s + λ), so many penalties are had from few: heads are
    trained at Chebyshev nodes over the range, read off between them by barycentric interpolation (Berrut and Trefethen
    2004, equation 4.2), and trained on from there where that is not exact enough. In the principal axes of the features,
    whatever their conditioning, the Hessian of the cross-entropy is at most ½ s_j for axis j of variance s_j and every
    class (Böhning 1992): L-BFGS starts from that bound.
    """
    mean, axes, variance = _axes(features)
    for penalty in penalties:
        positive(penalty=penalty)
    classes, target = labels.unique(return_inverse=True)
    x = _project(features, mean, axes)
    ridge = torch.cat([torch.ones_like(variance), x.new_zeros(1)])  # not on the intercept
    bound = 0.5 * torch.cat([variance, x.new_ones(1)])

    def trained(penalties: Tensor, start: Tensor) -> tuple[Tensor, int]:
        return _minimised(x, target, start, penalties.to(x)[:, None, None] * ridge, bound, iterations)

    wanted = torch.tensor(penalties, dtype=torch.float64)
    nodes, read_off = _chebyshev(wanted.log())
    few = min(wanted, nodes.exp(), key=len)
    coarse, steps = trained(few, x.new_zeros(len(few), len(classes), x.shape[1]))
    if few is wanted:
        return Probe(mean, axes, coarse, classes, steps)
    start = (read_off.to(x) @ coarse.flatten(1)).view(-1, *coarse.shape[1:])
    weights, more = trained(wanted, start)
    return Probe(mean, axes, weights, classes, steps + more)


def _chebyshev(at: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes over the range of `at`, and the matrix, len(at) × nodes, that turns values at the nodes into values at `at`."""
    middle, half = float(at.max() + at.min()) / 2, max(float(at.max() - at.min()) / 2, 0.5)
    count = math.ceil(4 + 1.5 * half)  # what is left to train is then a few iterations
    angle = (torch.arange(count, dtype=torch.float64) + 0.5) * torch.pi / count
    nodes = middle + half * angle.cos()
    apart = at[:, None] - nodes
    apart = torch.where(apart.abs() < 1e-12, 1e-12, apart)  # on a node: its value outweighs all others
    terms = angle.sin() * (-1.0) ** torch.arange(count) / apart
    return nodes, terms / terms.sum(1, keepdim=True)


def _minimised(
    x: Tensor, target: Tensor, weights: Tensor, penalty: Tensor, bound: Tensor, iterations: int
) -> tuple[Tensor, int]:
    """The weights that minimise each head's objective, from given ones, and the iterations taken.

    L-BFGS (Nocedal and Wright 2006, algorithm 7.4) for all heads at once. The objective is convex, so its slope along the
    step is test enough: a step that ends climbing at more than half the rate at which it began to fall is not taken, only
    remembered, which bends the next one. A head rests when ½ gᵀHg, what its next step would gain in nats, is below
    TOLERANCE.
    """
    answer, going = weights.clone(), torch.arange(len(weights), device=x.device)
    safe = 1 / (bound + penalty)
    slope = _gradient(x, target, weights) + penalty * weights
    direction = -safe * slope
    falling = _dot(slope, direction)
    pairs: list[tuple[Tensor, Tensor]] = []
    steps = 0
    while steps < iterations:
        unfinished = falling.flatten() < -2 * TOLERANCE
        if not bool(unfinished.all()):
            answer[going] = weights
            going, weights, penalty, safe = (t[unfinished] for t in (going, weights, penalty, safe))
            slope, direction, falling = (t[unfinished] for t in (slope, direction, falling))
            pairs = [(step[unfinished], change[unfinished]) for step, change in pairs]
            if len(going) == 0:
                break
        steps += 1
        there = weights + direction
        slope_there = _gradient(x, target, there) + penalty * there
        pairs = [*pairs, (direction, slope_there - slope)][-MEMORY:]
        moves = _dot(slope_there, direction) <= -0.5 * falling
        weights, slope = torch.where(moves, there, weights), torch.where(moves, slope_there, slope)
        direction = _quasi_newton(slope, pairs, safe)
        falling = _dot(slope, direction)
    answer[going] = weights
    return answer, steps


def _quasi_newton(slope: Tensor, pairs: list[tuple[Tensor, Tensor]], safe: Tensor) -> Tensor:
    """−H · slope, H the inverse Hessian as the last steps and changes of slope show it."""
    q, stretch = slope, torch.ones_like(slope[:, :1, :1])
    shares: list[Tensor] = []
    inverse: list[Tensor] = []
    for step, change in pairs:
        product, least = _dot(step, change), _dot(change, safe * change)
        seen = product > 0.5 * least  # by the bound it is at least `least`; else it is rounding
        inverse.append(torch.where(seen, 1 / torch.where(seen, product, 1.0), 0.0))
        stretch = torch.where(seen, product / torch.where(seen, least, 1.0), stretch)
    for (step, change), rate in zip(reversed(pairs), reversed(inverse)):
        shares.append(rate * _dot(step, q))
        q = q - shares[-1] * change
    q = stretch * safe * q
    for (step, change), rate, share in zip(pairs, inverse, reversed(shares)):
        q = q + (share - rate * _dot(change, q)) * step
    return -q


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Of each head: heads × 1 × 1."""
    return (a * b).sum((1, 2), keepdim=True)


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
