"""All numbers of one representation: what can be measured of it with the labels and the views that are there."""

from collections.abc import Callable, Container
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.labelled.clustering import clustering
from tacit.evaluation.labelled.detection import leave_one_class_out
from tacit.evaluation.labelled.few_shot import few_shot
from tacit.evaluation.labelled.knn import SIMILARITIES, knn
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.labelled.low_label import low_label
from tacit.evaluation.labelled.mean_classifier import mean_classifier_accuracy, mean_classifier_gap
from tacit.evaluation.labelled.retrieval import retrieval
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import Number, missing
from tacit.evaluation.unlabelled.alignment import alignment
from tacit.evaluation.unlabelled.alpha_req import alpha_req
from tacit.evaluation.unlabelled.information import mi_infonce, mi_nwj
from tacit.evaluation.unlabelled.learnability import learnability
from tacit.evaluation.unlabelled.lidar import lidar
from tacit.evaluation.unlabelled.nesum import nesum
from tacit.evaluation.unlabelled.rankme import rankme
from tacit.evaluation.unlabelled.scores import score_overlap
from tacit.evaluation.unlabelled.spread import spread
from tacit.evaluation.unlabelled.stability import cluster_stability
from tacit.evaluation.unlabelled.stable_rank import stable_rank
from tacit.evaluation.unlabelled.tolerance import tolerance
from tacit.evaluation.unlabelled.uncertainty import r_auroc
from tacit.evaluation.unlabelled.uniformity import uniformity
from tacit.numerics.spectra import collapsed

Labelled = Callable[[Tensor, Tensor, Tensor, Tensor], Number | list[Number]]  # of train and test part: features, labels

# What needs labels, by the names of the numbers it gives; kNN stands apart, since it knows similarities.
WITH_LABELS: dict[tuple[str, ...], Labelled] = {
    ("linear",): linear,
    ("low_label_10", "low_label_1"): lambda x, y, u, v: low_label(x, y, u, v, percents=(10, 1)),
    ("few_shot_5", "few_shot_1"): lambda x, y, u, v: few_shot(u, v, shots=(5, 1)),
    ("map", "recall_at_1", "recall_at_10", "ndcg_at_10"): retrieval,
    ("cluster_accuracy", "nmi", "ari"): lambda x, y, u, v: clustering(u, v),
    ("ood_auroc", "ood_fpr95"): leave_one_class_out,
    ("r_auroc",): lambda x, y, u, v: r_auroc(u, v),
    ("mean_classifier_accuracy",): mean_classifier_accuracy,
    ("mean_classifier_gap",): mean_classifier_gap,
    ("tolerance",): lambda x, y, u, v: tolerance(u, v),
}

# What needs none, of the test part; spread also says whether it has collapsed.
WITHOUT_LABELS: dict[str, Callable[[Tensor], Number]] = {
    "rankme": rankme,
    "spread": spread,
    "uniformity": uniformity,
    "alpha_req": alpha_req,
    "nesum": nesum,
    "stable_rank": stable_rank,
    "cluster_stability": cluster_stability,
    "learnability": learnability,
}

# Of two views of each test sample.
OF_VIEWS: dict[str, Callable[[Tensor, Tensor], Number]] = {
    "alignment": alignment,
    "score_overlap": score_overlap,
    "mi_infonce": mi_infonce,
    "mi_nwj": mi_nwj,
}


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
    only: Container[str] = frozenset(MEANINGS),
) -> list[Number]:
    """Every number that can be had of one representation, or `only` some by name.

    Labels are used where both parts have them: the test part is predicted from the train part. Label-free numbers are of
    the test part; `views` are the embeddings of two random views of each test sample, `looks` of several of
    each of some (n × q × d), for LiDAR. What cannot be measured comes as NaN with the reason, and the others still come.
    """
    for part, name in ((train, "train"), (test, "test")):
        _check(part, name)
    numbers = []
    if train.labels is not None and test.labels is not None:
        numbers += _labelled(train, test, similarity, only)
    fault = _unusable(test.features, "test", fewest=2)
    free = {
        name: _measure(name, partial(measure, test.features), fault) for name, measure in WITHOUT_LABELS.items() if name in only
    }
    if {"rankme", "spread"} <= free.keys() and collapsed(free["rankme"].value, free["spread"].value, *test.features.shape):
        free["spread"] = _noted(free["spread"], "the embeddings have collapsed: almost all samples are embedded alike")
    numbers += free.values()
    if views is not None:
        first, second = views
        fault = _unusable(first, "first-view", fewest=2) or _unusable(second, "second-view", fewest=2)
        numbers += [
            _measure(name, partial(measure, first, second), fault) for name, measure in OF_VIEWS.items() if name in only
        ]
    if looks is not None and "lidar" in only:
        numbers.append(_measure("lidar", lambda: lidar(looks), _unusable(looks.flatten(0, 1), "looked-at", fewest=2)))
    return [number for number in numbers if number.name in only]


def _labelled(train: Judged, test: Judged, similarity: str, only: Container[str]) -> list[Number]:
    """What needs labels, on the samples that have one."""
    asked = {names: measure for names, measure in WITH_LABELS.items() if any(name in only for name in names)}
    (x, y), (x_test, y_test) = _with_label(train), _with_label(test)
    fault = _unusable(x, "labelled train", fewest=2) or _unusable(x_test, "labelled test", fewest=1)
    if not fault:
        classes, counts = y.unique(return_counts=True)
        if len(classes) == 1:
            fault = f"all {len(y)} train labels are the same; at least two classes are needed."
        elif bool((x == x[0]).all()):
            fault = f"all {len(x)} train embeddings are equal, so nothing can be told apart."
    if fault:
        return [missing(name, fault) for name in ("knn", *(name for names in asked for name in names))]
    notes = []
    if single := int((counts == 1).sum()):
        notes.append(f"{single} of {len(classes)} classes have a single train sample")
    if unseen := int((~torch.isin(y_test, classes)).sum()):
        notes.append(f"{unseen} of {len(y_test)} test samples are of classes that no train sample has, and count as errors")
    if similarity in SIMILARITIES:
        nearest = knn(x, y, x_test, y_test, similarity=similarity)
    else:
        nearest = missing("knn", f"there is no kNN by {similarity} similarity, only by {' and '.join(SIMILARITIES)}.")
    found = [nearest]
    for measure in asked.values():
        given = measure(x, y, x_test, y_test)
        found += given if isinstance(given, list) else [given]
    return [_noted(n, *(notes if n.name in ("knn", "linear") else ()), classes=len(classes)) for n in found]


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
