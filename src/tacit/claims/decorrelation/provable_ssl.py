"""Predicting one part from another: where parts are independent given the label, a linear head on that needs few labels."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Claim, Found, Measures
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.evaluation.labelled.partial_dependence import partial_dependence
from tacit.numerics import counter

CLASSES, D1, D2 = 5, 60, 20  # of the mixture: its classes, and numbers of either part
APART = 0.3, 0.6  # deviations of the class means of either part; noise has 1
DEPENDENCE = (0.0, 0.3, 0.6, 0.9)  # share of the second part's noise that the first part has too
UNLABELLED, LABELLED, TEST = 20_000, 30, 4_000
DIGITS_LABELLED = 100
NARROW = 2  # numbers of the second part that are fewer than classes
RIDGE = 1e-3  # of the pretext's regression, times the mean variance
LANDMARKS = 500  # of the kernel
ALPHAS = tuple(10.0**power for power in range(-4, 5))  # penalties of the head, chosen by leaving one out


class Parts(NamedTuple):
    """Both parts of each sample, n × d and n × e, and its label."""

    first: Tensor
    second: Tensor
    labels: Tensor


def mixture(n: int, dependence: float, seed: int, stream: str) -> Parts:
    """Gaussian classes in both parts; so much of the second part's noise is a turn of the first part's."""
    key, rows = counter.key(seed, "mixture"), np.arange(n)

    def normal(name: str, rows: np.ndarray, columns: int) -> Tensor:
        return torch.from_numpy(counter.normal(counter.key(key, name), rows, columns)).double()

    labels = torch.from_numpy((CLASSES * counter.uniform(counter.key(key, stream), rows, 1)[:, 0]).astype(np.int64))
    means = [scale * normal(name, np.arange(CLASSES), d) for scale, name, d in zip(APART, ("1", "2"), (D1, D2))]
    noise, own = normal(f"{stream} 1", rows, D1), normal(f"{stream} 2", rows, D2)
    turn = torch.linalg.qr(normal("turn", np.arange(D1), D2))[0]
    shared = dependence * noise @ turn + math.sqrt(1 - dependence**2) * own
    return Parts(means[0][labels] + noise, means[1][labels] + shared, labels)


def halves(samples: Samples) -> Parts:
    """The left half of each image, averaged to 14 × 7, and the right half."""
    content, _ = samples.read(np.arange(len(samples)))
    grey = content.pixels.double().mean(-1)[:, None] / 255
    assert samples.labels is not None  # the sets used here have them
    left, right = torch.nn.functional.adaptive_avg_pool2d(grey, 14)[:, 0].chunk(2, 2)
    return Parts(left.flatten(1), right.flatten(1), torch.from_numpy(samples.labels))


@dataclass(frozen=True)
class Learner:
    """What a linear head is put on: the first part itself, or what a pretext without labels makes of it."""

    how: str  # "raw", "regression", "kernel" or "cca"

    def measure(self, seed: int, quick: bool) -> Measures:
        n, m = (600, 200) if quick else (UNLABELLED, TEST)
        told: Measures = {}
        for dependence in DEPENDENCE:
            pretext, few, test = (
                mixture(size, dependence, seed, name) for name, size in (("pretext", n), ("few", LABELLED), ("test", m))
            )
            told[f"accuracy, {dependence}"] = self.reached(pretext, few, test, seed)
            told[f"left, {dependence}"] = 100 * partial_dependence(*pretext).value
            if not dependence:
                cut = pretext._replace(second=pretext.second[:, :NARROW])
                told["accuracy, narrow"] = self.reached(cut, few, test, seed)
        data = tiny_images(320) if quick else known("mnist-20k")
        train, test = (halves(data.split(part)) for part in ("train", "test"))
        rows = torch.from_numpy(counter.permutation(counter.key(seed, "labelled"), len(train.labels))[:DIGITS_LABELLED])
        told["accuracy, digits"] = self.reached(train, Parts(*(part[rows] for part in train)), test, seed)
        told["left, digits"] = 100 * partial_dependence(*train).value
        return told

    def reached(self, pretext: Parts, few: Parts, test: Parts, seed: int) -> float:
        """Accuracy of ridge regression of the classes, in per cent."""
        from sklearn.linear_model import RidgeClassifierCV

        represent = LEARNERS[self.how](pretext.first, pretext.second, seed, len(pretext.labels.unique()) - 1)
        x, y = (represent(part.first) for part in (few, test))
        scale = x.std(0).mean()  # penalties mean the same to all
        head = RidgeClassifierCV(ALPHAS).fit((x / scale).numpy(), few.labels.numpy())
        return 100 * float(head.score((y / scale).numpy(), test.labels.numpy()))


def raw(x: Tensor, y: Tensor, seed: int, kept: int):
    """The first part as it is."""
    return lambda part: part


def regression(x: Tensor, y: Tensor, seed: int, kept: int):
    """ψ(x) = E[x₂ | x₁] by least squares: Σ₂₁ Σ₁₁⁻¹ x₁."""
    mean, centred = x.mean(0), x - x.mean(0)
    weights = torch.linalg.solve(covariance(centred), centred.T @ (y - y.mean(0)) / len(x))
    return lambda part: (part - mean) @ weights


def kernel(x: Tensor, y: Tensor, seed: int, kept: int):
    """The same by least squares on Gaussian bumps at some samples, as wide as the median distance between these."""
    rows = torch.from_numpy(counter.permutation(counter.key(seed, "landmarks"), len(x))[:LANDMARKS])
    landmarks = x[rows]
    width = torch.pdist(landmarks).median()

    def bumps(part: Tensor) -> Tensor:
        return (-torch.cdist(part, landmarks).square() / (2 * width**2)).exp()

    predict = regression(bumps(x), y, seed, kept)
    return lambda part: predict(bumps(part))


def cca(x: Tensor, y: Tensor, seed: int, kept: int):
    """Canonical directions of the first part, as many as there is for classes to tell, each times its correlation."""
    first, second = x - x.mean(0), y - y.mean(0)
    roots = [torch.linalg.cholesky(covariance(part)) for part in (first, second)]
    across = torch.linalg.solve_triangular(roots[0], first.T @ second / len(x), upper=False)
    across = torch.linalg.solve_triangular(roots[1], across.T, upper=False).T
    left, strengths, _ = torch.linalg.svd(across, full_matrices=False)
    weights = (torch.linalg.solve_triangular(roots[0].T, left, upper=True) * strengths)[:, :kept]
    return lambda part: (part - x.mean(0)) @ weights


def covariance(centred: Tensor) -> Tensor:
    """Of rows around 0, with a little on its diagonal."""
    found = centred.T @ centred / len(centred)
    return found + RIDGE * found.diagonal().mean() * torch.eye(len(found), dtype=found.dtype)


LEARNERS = {"raw": raw, "regression": regression, "kernel": kernel, "cca": cca}


def rule(found: Found) -> dict[str, bool]:
    def gain(metric: str) -> float:
        return found.gap("regression", "raw", f"accuracy, {metric}").value

    gains = [gain(str(dependence)) for dependence in DEPENDENCE]
    left = [found.mean("regression", f"left, {dependence}") for dependence in DEPENDENCE]
    return {
        "on parts independent given the label regression is above the first part itself": found.above("regression", "raw"),
        "the more dependent the parts, the smaller its gain": gains == sorted(gains, reverse=True) and gains[0] > gains[-1],
        "and the more is left where the label is known": left == sorted(left) and left[0] < 20,
        "a second part of fewer numbers than classes helps less": gain("narrow") < gains[0],
        "canonical directions serve as regression does, within 2 points": abs(found.gap("cca", "regression").value) < 2,
        "on halves of digits regression by a kernel is above the half itself": found.above("kernel", "raw", "accuracy, digits"),
    }


CLAIM = Claim(
    says="Where two parts are nearly independent given the label, a linear head on what is predicted of one by the other has "
    "small error and needs few labels; canonical correlation does the same.",
    here="Gaussian mixtures of 5 classes in 60 and 20 numbers, of whose noise the parts share none to 0.9; the pretext sees "
    "20 000 pairs, the head 30 labels. Halves of mnist-20k at 14 × 14: the whole training part, 100 labels. The head is ridge "
    "regression of the classes, its penalty by leaving one out. Learners: least squares, the same on 500 Gaussian bumps, "
    "linear canonical correlation with one direction less than there are classes; networks are left out.",
    arms={
        "raw": Learner("raw"),
        "regression": Learner("regression"),
        "kernel": Learner("kernel"),
        "cca": Learner("cca"),
    },
    metric="accuracy, 0.0",
    rule=rule,
    seeds=5,
)
