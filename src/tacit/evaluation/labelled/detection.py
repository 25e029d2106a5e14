"""Whether what the train part does not hold lies far from it: out-of-distribution and anomaly detection by neighbours."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import Z
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest

NAMES = ("ood_auroc", "ood_fpr95")
ACCEPTED = 0.95  # share of the inside that must be accepted
Components = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def detection(train: Tensor, inside: Tensor, outside: Tensor, k: int = 10) -> list[Number]:
    """AUROC and FPR at 95 % TPR of telling samples like the train part from others: features n × d, m × d and o × d.

    A sample's score is its mean cosine similarity to the k nearest train samples, high is inside: up to scale and sign the
    mean squared distance of Bergman et al. 2020 (arXiv:2002.10445) between rows of length one. Sun et al. 2022
    (arXiv:2204.06507, section 3) take the k-th alone, with k = 50 for 50 000 train samples. k is clipped to the train part.
    """
    _check(k)
    if len(train) < 1 or min(len(inside), len(outside)) < 2:
        why = f"there are {len(train)} train, {len(inside)} inside and {len(outside)} outside samples; 1, 2 and 2 are needed."
        return [missing(name, why) for name in NAMES]
    used = min(k, len(train))
    x = unit(train)
    scores = torch.cat([nearest(unit(part), x, used).scores.double().mean(1) for part in (inside, outside)])
    out = np.arange(len(scores)) >= len(inside)
    protocol = {"train": len(train), "test": len(scores), "outside": len(outside)}
    return _numbers(scores.cpu().numpy()[None], out[None], {**protocol, **_asked(k, used)})


def leave_one_class_out(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, k: int = 10, most: int = 10
) -> list[Number]:
    """The means of AUROC and of FPR at 95 % TPR with each class once the anomaly: features n × d and m × d, labels int64.

    The class is taken out of the train part, and its test samples are to be told from those of the others, by the score
    of `detection`. The `most` classes with most test samples take their turn (of equal ones the smaller label), if they
    have at least 2 and leave 2; test samples of classes that the train part lacks are left out, as they are inside of nothing.
    """
    _check(k)
    known = torch.isin(test_labels, train_labels)
    test, labels = test[known], test_labels[known]
    classes, counts = labels.unique(return_counts=True)
    if len(classes) < 2:
        why = f"train and test part have {len(classes)} classes in common; leaving one out needs at least two."
        return [missing(name, why) for name in NAMES]
    turns = classes[counts.argsort(descending=True, stable=True)[:most]]
    outside = labels == turns[:, None]
    enough = torch.minimum(outside.sum(1), (~outside).sum(1)) > 1
    turns, outside = turns[enough], outside[enough]
    if len(turns) == 0:
        why = "no class that the train part has is there with 2 test samples or more, and 2 of other classes."
        return [missing(name, why) for name in NAMES]
    left = len(train_labels) - max(int((train_labels == turn).sum()) for turn in turns)
    used = min(k, left)
    scores = _without_each(train, train_labels, test, turns, used)
    protocol = {
        "train": len(train),
        "test": len(test),
        "unseen_left_out": len(known) - len(test),
        "classes": len(classes),
        "anomalies": turns.tolist(),
    }
    return _numbers(scores.cpu().numpy(), outside.cpu().numpy(), {**protocol, **_asked(k, used)})


def auroc(inside: np.ndarray, outside: np.ndarray) -> float:
    """The chance that a sample inside scores above one outside, ties half (Mann and Whitney 1947)."""
    return float(_above(inside, outside).mean())


def fpr95(inside: np.ndarray, outside: np.ndarray) -> float:
    """The share of the outside at or above the highest threshold that accepts at least 95 % of the inside."""
    return float((outside >= _threshold(inside, ACCEPTED)).mean())


def _numbers(scores: np.ndarray, outside: np.ndarray, protocol: dict[str, Any]) -> list[Number]:
    """Means over the turns of m samples: scores turns × m, outside turns × m (bool)."""
    measures = (
        (NAMES[0], auroc, area_components, "DeLong et al. 1988, 95 %"),
        (NAMES[1], fpr95, _rate_components, "delta method over test samples, the threshold's share included, 95 %"),
    )
    numbers = []
    for name, measure, components, how in measures:
        each = [measure(s[~out], s[out]) for s, out in zip(scores, outside)]
        value, half = float(np.mean(each)), Z * _error(scores, outside, components)
        if half == 0:
            half, how = NAN, "none: nothing varies, as inside and outside are apart or all alike"
        found = {**protocol, "each": [round(x, 4) for x in each], "interval": how}
        numbers.append(Number(name, value, max(value - half, 0.0), min(value + half, 1.0), found))
    return numbers


def _error(scores: np.ndarray, outside: np.ndarray, components: Components) -> float:
    """The standard error of the mean over the turns, from what each sample adds to each turn's value.

    A test sample takes part in every turn, so what it adds is summed over the turns before it is squared: that holds the
    covariance of the turns.
    """
    total = np.zeros(scores.shape[1])
    for s, out in zip(scores, outside):
        added, added_outside = components(s[~out], s[out])
        total[~out] += added
        total[out] += added_outside
    return math.sqrt(float(np.square(total).sum())) / len(scores)


def area_components(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong et al. 1988: the structural components, scaled to squares that sum up to the variance."""
    above, below = _above(inside, outside), _above(-outside, -inside)
    added, outside_added = ((part - part.mean()) / math.sqrt(len(part) * (len(part) - 1)) for part in (above, below))
    return added, outside_added


def _rate_components(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The influence of each sample on FPR at 95 % TPR: the outside's own share, and the inside's on the threshold.

    One more inside sample above the threshold raises it, by which the rate falls as steeply as the ROC curve rises there:
    its slope is taken over the 95 % interval of the threshold.
    """
    m, step = len(inside), Z * math.sqrt(ACCEPTED * (1 - ACCEPTED) / len(inside))
    low, high = ACCEPTED - step, min(ACCEPTED + step, 1.0)
    rates = [float((outside >= _threshold(inside, share)).mean()) for share in (max(low, 1 / m), high)]
    slope = (rates[1] - rates[0]) / (high - low)
    threshold = _threshold(inside, ACCEPTED)
    accepted, wrongly = inside >= threshold, outside >= threshold
    return -slope * (accepted - accepted.mean()) / m, (wrongly - wrongly.mean()) / len(outside)


def _threshold(inside: np.ndarray, share: float) -> float:
    """The highest score that at least this share of the inside reaches."""
    place = len(inside) - math.ceil(share * len(inside) - 1e-9)  # less rounding: 0.95 · 20 is 19
    return float(np.partition(inside, place)[place])


def _above(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Of each of these, the share of those that it is above, ties half."""
    ranked = np.sort(those)
    return (np.searchsorted(ranked, these, "left") + np.searchsorted(ranked, these, "right")) / (2 * len(those))


def _without_each(train: Tensor, train_labels: Tensor, test: Tensor, turns: Tensor, k: int) -> Tensor:
    """The scores of the test part against the train part without each class of `turns`: float64, turns × m.

    Neighbours are sought once in each of these classes and once in all others together; a turn's are the best of all but
    its own, so that ten turns cost as much as one.
    """
    x, queries = unit(train), unit(test)
    parts = [train_labels == turn for turn in turns]
    parts.append(~torch.isin(train_labels, turns))
    found = [nearest(queries, x[part], min(k, int(part.sum()))).scores for part in parts if bool(part.any())]
    means = [torch.cat(found[:i] + found[i + 1 :], dim=1).topk(k).values.double().mean(1) for i in range(len(turns))]
    return torch.stack(means)


def _asked(k: int, used: int) -> dict[str, Any]:
    return {"k": used, "similarity": "cosine", **({"k_clipped_from": k} if used < k else {})}


def _check(k: int) -> None:
    if k < 1:
        raise TacitError(f"Detection got k = {k}; it must be at least 1.")
