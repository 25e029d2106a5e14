"""All numbers of one representation, and several representations side by side."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import difference
from tacit.evaluation.labelled.knn import SIMILARITIES, knn
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.number import MEANINGS, Number, missing
from tacit.evaluation.unlabelled.alignment import alignment
from tacit.evaluation.unlabelled.alpha_req import alpha_req
from tacit.evaluation.unlabelled.lidar import lidar
from tacit.evaluation.unlabelled.rankme import rankme
from tacit.evaluation.unlabelled.spread import spread
from tacit.evaluation.unlabelled.uniformity import uniformity
from tacit.numerics.spectra import collapsed


class Judged(NamedTuple):
    """One part of the data as a representation sees it."""

    features: Tensor  # n × d
    labels: Tensor | None = None  # int64, n; −1 for unlabelled; None where the data has no labels


def judge(
    train: Judged,
    test: Judged,
    *,
    views: tuple[Tensor, Tensor] | None = None,
    looks: Tensor | None = None,
    similarity: str = "cosine",
) -> list[Number]:
    """Every number that can be had of one representation.

    Labels are used where both parts have them: the test part is predicted from the train part. Label-free numbers are of
    the test part; `views` are the embeddings of two random views of each test sample, for alignment, `looks` of several of
    each of some (n × q × d), for LiDAR. What cannot be measured comes as NaN with the reason, and the others still come.
    """
    for part, name in ((train, "train"), (test, "test")):
        _check(part, name)
    numbers = []
    if train.labels is not None and test.labels is not None:
        numbers += _labelled(train, test, similarity)
    fault = _unusable(test.features, "test", fewest=2)
    rank = _measure("rankme", lambda: rankme(test.features), fault)
    width = _measure("spread", lambda: spread(test.features), fault)
    if collapsed(rank.value, width.value, *test.features.shape):
        width = _noted(width, "the embeddings have collapsed: almost all samples are embedded alike")
    numbers += [rank, width, _measure("uniformity", lambda: uniformity(test.features), fault)]
    numbers.append(_measure("alpha_req", lambda: alpha_req(test.features), fault))
    if views is not None:
        first, second = views
        fault = _unusable(first, "first-view", fewest=1) or _unusable(second, "second-view", fewest=1)
        numbers.append(_measure("alignment", lambda: alignment(first, second), fault))
    if looks is not None:
        numbers.append(_measure("lidar", lambda: lidar(looks), _unusable(looks.flatten(0, 1), "looked-at", fewest=2)))
    return numbers


@dataclass(frozen=True)
class Evaluation:
    """The numbers of several representations of the same samples; the first is the one in question."""

    representations: dict[str, list[Number]]

    def number(self, representation: str, metric: str) -> Number | None:
        """One number, if that representation has it."""
        return next((n for n in self.representations[representation] if n.name == metric), None)

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics that some representation has, in order of first appearance."""
        return list(dict.fromkeys(n.name for numbers in self.representations.values() for n in numbers))

    @property
    def verdict(self) -> list[str]:
        """One sentence per metric with labels: how far the first representation is above the others."""
        first, *others = self.representations
        compared = (self._compared(metric, first, others) for metric in self.metrics if MEANINGS[metric].needs_labels)
        return [sentence for sentence in compared if sentence]

    @property
    def notes(self) -> list[str]:
        """Why what is missing is missing, and what else is to be known."""
        reasons: dict[str, list[str]] = {}
        for representation, numbers in self.representations.items():
            for n in numbers:
                for reason in filter(None, (n.why, *n.protocol.get("notes", []))):
                    reasons.setdefault(reason, []).append(f"{MEANINGS[n.name].title} of {representation}")
        return [f"{', '.join(whose)}: {reason}" for reason, whose in reasons.items()]

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        numbers = {name: [n.as_dict() for n in numbers] for name, numbers in self.representations.items()}
        return {"representations": numbers, "verdict": self.verdict, "notes": self.notes}

    def __str__(self) -> str:
        rows = [["", *self.representations]]
        for metric in self.metrics:
            cells = [self.number(name, metric) for name in self.representations]
            rows.append([MEANINGS[metric].title, *("" if n is None else n.shown() for n in cells)])
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        return "\n".join([*lines, *([""] if self.verdict or self.notes else []), *self.verdict, *self.notes])

    def _compared(self, metric: str, first: str, others: list[str]) -> str:
        mine = self.number(first, metric)
        theirs = [(name, n) for name in others if (n := self.number(name, metric)) and not math.isnan(n.value)]
        if mine is None or math.isnan(mine.value) or not theirs:
            return ""
        parts, unsure = [], []
        for name, n in theirs:
            gap = round(100 * (mine.value - n.value), 1)
            parts.append(f"{abs(gap)} points {'above' if gap > 0 else 'below'} {name}" if gap else f"level with {name}")
            low, high = difference(mine.value, (mine.low, mine.high), n.value, (n.low, n.high))
            if gap and low <= 0 <= high:
                unsure.append(name)
        title = MEANINGS[metric].title
        doubt = f"; the difference from {' and '.join(unsure)} is within the noise of {mine.protocol['test']} samples"
        return f"{title} is {' and '.join(parts)}{doubt if unsure else ''}."


def compare(representations: dict[str, list[Number]]) -> Evaluation:
    """Representations side by side; the first is the one in question, the others are what it is measured against."""
    if not representations:
        raise TacitError("There is nothing to compare; give at least one representation and its numbers.")
    return Evaluation(representations)


def _labelled(train: Judged, test: Judged, similarity: str) -> list[Number]:
    """kNN and the linear probe, on the samples that have a label."""
    (x, y), (x_test, y_test) = _with_label(train), _with_label(test)
    fault = _unusable(x, "labelled train", fewest=2) or _unusable(x_test, "labelled test", fewest=1)
    if not fault:
        classes, counts = y.unique(return_counts=True)
        if len(classes) == 1:
            fault = f"all {len(y)} train labels are the same; at least two classes are needed."
        elif bool((x == x[0]).all()):
            fault = f"all {len(x)} train embeddings are equal, so nothing can be told apart."
    if fault:
        return [missing("knn", fault), missing("linear", fault)]
    notes = []
    if single := int((counts == 1).sum()):
        notes.append(f"{single} of {len(classes)} classes have a single train sample")
    if unseen := int((~torch.isin(y_test, classes)).sum()):
        notes.append(f"{unseen} of {len(y_test)} test samples are of classes that no train sample has, and count as errors")
    if similarity in SIMILARITIES:
        nearest = knn(x, y, x_test, y_test, similarity=similarity)
    else:
        nearest = missing("knn", f"there is no kNN by {similarity} similarity, only by {' and '.join(SIMILARITIES)}.")
    return [_noted(n, *notes, classes=len(classes)) for n in (nearest, linear(x, y, x_test, y_test))]


def _with_label(part: Judged) -> tuple[Tensor, Tensor]:
    assert part.labels is not None  # `judge` asked
    labels = part.labels.to(part.features.device)
    known = labels >= 0
    return part.features[known], labels[known]


def _noted(number: Number, *notes: str, **facts: Any) -> Number:
    return replace(number, protocol={**number.protocol, **facts, **({"notes": list(notes)} if notes else {})})


def _measure(name: str, measure: Callable[[], Number], fault: str) -> Number:
    return missing(name, fault) if fault else measure()


def _unusable(features: Tensor, what: str, fewest: int) -> str:
    """Why nothing can be computed of these embeddings, or nothing."""
    if len(features) < fewest:
        return f"there are {len(features)} {what} embeddings, at least {fewest} are needed."
    broken = (~features.isfinite()).any(1).nonzero().flatten()
    if len(broken):
        return f"{len(broken)} of {len(features)} {what} embeddings are not finite, the first at row {int(broken[0])}."
    return ""


def _check(part: Judged, name: str) -> None:
    if part.features.ndim != 2:
        raise TacitError(f"The {name} features have shape {tuple(part.features.shape)}; give one row per sample, n × d.")
    if part.labels is not None and part.labels.shape != part.features.shape[:1]:
        shape = tuple(part.labels.shape)
        raise TacitError(f"The {name} part has {len(part.features)} embeddings and labels of shape {shape}; give one each.")
