"""How much of the labels the linear probe needs: it is trained on a small share of them."""

import math

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import student
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter


def low_label(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    percents: tuple[int, ...] = (1, 10),
    draws: int = 3,
) -> list[Number]:
    """Mean accuracy of the linear probe on P % of the train samples, one number `low_label_P` for each P of `percents`.

    Features n × d and m × d, labels int64. The shares are those of Chen et al. 2020 (SimCLR, arXiv:2002.05709, table 7);
    they fine-tune the encoder, here it is frozen. Classes have the same number of samples as far as theirs last, and at
    least one each, so a share can be larger than asked: the protocol says how many were used. The penalty is chosen
    within the share (`linear`), and nothing else of the train part is seen.
    """
    if draws < 1 or not percents or not all(0 < percent <= 100 for percent in percents):
        raise TacitError(f"Got {draws} draws of {list(percents)} % of the labels; give 1 draw or more of 1 to 100 %.")
    return [_low_label(train, train_labels, test, test_labels, percent, draws) for percent in percents]


def balanced(labels: Tensor, count: int, key: int) -> Tensor:
    """`count` rows, or one per class if that is more, with the classes as equal as they can be: int64, in order.

    Every class is brought into a random order; the first of each come before the second of each, and so on.
    """
    shuffled = counter.permutation(key, len(labels))
    _, target, counts = np.unique(labels.cpu().numpy()[shuffled], return_inverse=True, return_counts=True)
    by_class = np.argsort(target, kind="stable")
    turn = np.empty(len(labels), np.int64)
    turn[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = shuffled[np.argsort(turn, kind="stable")[: max(count, len(counts))]]
    return torch.from_numpy(np.sort(chosen)).to(labels.device)


def _low_label(x: Tensor, y: Tensor, test: Tensor, test_labels: Tensor, percent: int, draws: int) -> Number:
    name, count = f"low_label_{percent}", math.ceil(len(x) * percent / 100)
    probes = []
    for draw in range(draws):
        rows = balanced(y, count, counter.key("low label", percent, draw))
        if len(y[rows].unique()) < 2:
            return missing(name, f"all {len(rows)} train samples drawn are of one class; at least two classes are needed.")
        probes.append(linear(x[rows], y[rows], test, test_labels))
        if probes[-1].why:
            return missing(name, f"of {percent} % of the labels: {probes[-1].why}")
    scores = np.array([probe.value for probe in probes])
    low, high = student(scores)
    protocol = {
        "train": probes[0].protocol["train"],
        "drawn_from": len(x),
        "per_class": _ends(torch.unique(y[rows], return_counts=True)[1]),
        "test": len(test),
        "draws": draws,
        "penalty": [probe.protocol["penalty"] for probe in probes],
        "penalties": probes[0].protocol["penalties"],
        "features": probes[0].protocol["features"],
        "interval": f"t over {draws} draws, 95 %: other test samples are not in it" if draws > 1 else "none: one draw",
    }
    return Number(name, float(scores.mean()), max(low, 0.0), min(high, 1.0), protocol)


def _ends(counts: Tensor) -> list[int]:
    return [int(counts.min()), int(counts.max())]
