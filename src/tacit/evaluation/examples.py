"""Which samples a report shows: typical and unusual ones, those that all neighbours contradict, and clusters of them."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.labelled.clustering import cluster_accuracy, contingency
from tacit.evaluation.unlabelled.stability import seeded_kmeans
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest

NEAREST = 10  # neighbours by which a sample is typical or wrong


class Errors(NamedTuple):
    """Samples whose neighbours mostly bear one other label, the surest first."""

    positions: Tensor  # int64, m
    voted: Tensor  # int64, m: the label of most neighbours
    votes: Tensor  # int64, m: how many of the k neighbours bear it


class Clusters(NamedTuple):
    """Which cluster each sample is in, and how near it is to that cluster's middle."""

    of: Tensor  # int64, n
    distance: Tensor  # float32, n: squared, to the centroid


class Crossing(NamedTuple):
    """How many samples of each class lie in each cluster; the i-th row is matched to the i-th column's class."""

    counts: np.ndarray  # int64, r × r: clusters by the classes they are matched to
    classes: list[int]  # r: the label of each column
    others: np.ndarray  # int64, r: samples of the cluster that are of classes without a column
    accuracy: float  # share of all samples in the cluster that is matched to their class
    left_out: int  # clusters without a row


def typicality(features: Tensor, k: int = NEAREST) -> Tensor:
    """Mean cosine similarity to the k nearest other samples, fewer where there are fewer: n × d, n ≥ 2 -> float32, n.

    The density around a sample by its neighbours (k-nearest-neighbour density, Loftsgaarden and Quesenberry 1965), so a
    high value says that many are like it, whatever they are.
    """
    x = unit(features)
    return nearest(x, x, min(k, len(x) - 1), exclude_self=True).scores.mean(1)


def surest_errors(features: Tensor, labels: Tensor, k: int = NEAREST) -> Errors:
    """All samples that the plain vote of their k nearest other samples gets wrong, surest first: n × d, int64 n, n ≥ 2.

    Sure is first how many neighbours agree, then how near all of them are. A tied vote goes to the smallest label.
    """
    if len(features) != len(labels):
        raise TacitError(f"There are {len(features)} embeddings and {len(labels)} labels; give one label of each.")
    x = unit(features)
    scores, positions = nearest(x, x, min(k, len(x) - 1), exclude_self=True)
    told = labels[positions]
    voted = told.mode(1).values
    votes = (told == voted[:, None]).sum(1)
    sure = votes + (scores.mean(1) + 1) / 4  # a cosine never outweighs a vote
    wrong = (voted != labels).nonzero().flatten()
    wrong = wrong[sure[wrong].argsort(descending=True, stable=True)]
    return Errors(wrong, voted[wrong], votes[wrong])


def clusters(features: Tensor, k: int) -> Clusters:
    """k-means on the directions of features n × d, from one fixed start."""
    x = unit(features)
    of, centroids = seeded_kmeans(x, k, counter.key("report", "clusters"))
    return Clusters(of, (x - centroids[of]).square().sum(1))


def crossing(found: Tensor, labels: Tensor, most: int = 20) -> Crossing:
    """Clusters and labels, int64 ≥ 0, n each: counts under the best one-to-one matching, of the `most` largest clusters.

    The matching is that of clustering accuracy (`cluster_accuracy`). A cluster without a class of its own has no row.
    """
    from scipy.optimize import linear_sum_assignment

    classes, target = labels.unique(return_inverse=True)
    table = contingency(found, target)
    matched = linear_sum_assignment(table, maximize=True)[1]
    real = (table.sum(1) > 0) & (matched < len(classes))
    rows = np.flatnonzero(real)
    rows = rows[np.argsort(-table[rows].sum(1), kind="stable")][:most]
    rows = rows[np.argsort(matched[rows])]
    columns = matched[rows]
    counts = table[np.ix_(rows, columns)].astype(np.int64)
    others = table[rows].sum(1).astype(np.int64) - counts.sum(1)
    left_out = int((table.sum(1) > 0).sum()) - len(rows)
    return Crossing(counts, [int(classes[c]) for c in columns], others, cluster_accuracy(table), left_out)
