"""How well scores tell each class of anomalies from what is normal."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest


def centre_scores(train: Tensor, test: Tensor) -> Tensor:
    """Minus the cosine with the mean of the normal training rows: n × d and m × d -> m; its time does not grow with n."""
    return -cosine_similarity(test.double(), train.double().mean(0, keepdim=True))


def neighbour_scores(train: Tensor, test: Tensor, k: int = 10) -> Tensor:
    """Minus the mean cosine with the k nearest normal training rows: n × d and m × d -> m."""
    return -nearest(unit(test), unit(train), min(k, len(train))).scores.double().mean(1)


def auroc(inside: Tensor, outside: Tensor) -> float:
    """The chance that an outside score is above an inside one, ties half."""
    ordered = inside.double().sort().values
    below = torch.searchsorted(ordered, outside.double()) + torch.searchsorted(ordered, outside.double(), right=True)
    return float(below.double().mean() / (2 * len(ordered)))


def auroc_by_class(scores: Tensor, labels: Tensor, normal: int, fewest: int = 20) -> Mapping[int, float]:
    """The AUROC of each class against the normal one, of classes with `fewest` samples or more; scores m, labels int64 m."""
    inside = scores[labels == normal]
    classes, counts = labels.unique(return_counts=True)
    chosen = classes[(counts >= fewest) & (classes != normal) & (classes >= 0)].tolist()
    return {label: auroc(inside, scores[labels == label]) for label in chosen}
