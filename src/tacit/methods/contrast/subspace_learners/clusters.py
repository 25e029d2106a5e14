"""Clusters of samples, and how much they tell of classes."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from tacit.numerics.exact import unit
from tacit.numerics.kmeans import best_kmeans

STARTS, ROUNDS = 5, 100  # of k-means, the best start counting


def reassigned(features: Tensor, labels: Tensor, before: Tensor, k: int) -> Tensor:
    """The cluster of each sample by k-means on the sphere, −1 where it is alone of its class there: n × d -> int64, n.

    Clusters are numbered so that most samples keep their number `before`. Who is alone has no positives.
    """
    found, _ = best_kmeans(unit(features), k, STARTS, ROUNDS)
    found = renumbered(found, before, k)
    cell = found * (int(labels.max()) + 1) + labels
    return found.masked_fill(cell.bincount()[cell] == 1, -1)


def renumbered(found: Tensor, before: Tensor, k: int) -> Tensor:
    """The same k clusters under numbers that most samples had before, where they had any: int64, n both, -> int64, n."""
    had = (before >= 0) & (before < k)
    common = torch.bincount(found[had] * k + before[had], minlength=k * k).view(k, k)
    return torch.from_numpy(linear_sum_assignment(common.numpy(), maximize=True)[1])[found]


def told(z: Tensor, labels: Tensor) -> float:
    """What k-means of rows n × d, with as many clusters as classes, tells of classes: normalised mutual information.

    Mutual information over the arithmetic mean of both entropies.
    """
    target = labels.unique(return_inverse=True)[1]
    k = int(target.max()) + 1
    found, _ = best_kmeans(z, k, STARTS, ROUNDS)
    joint = torch.bincount(found * k + target, minlength=k * k).view(k, k).double() / len(z)
    apart = torch.special.entr(joint.sum(0)).sum() + torch.special.entr(joint.sum(1)).sum()
    return float(2 - 2 * torch.special.entr(joint).sum() / apart) if apart > 0 else 1.0
