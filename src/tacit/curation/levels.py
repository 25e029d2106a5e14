"""Hierarchical k-means whose clusters do not follow the density of the data."""

import numpy as np
import torch
from torch import Tensor

from tacit.method import Paper
from tacit.numerics import counter
from tacit.numerics.kmeans import assign, lloyd
from tacit.numerics.tiling.seeds import plus_plus

PAPER = Paper(
    "Automatic Data Curation for Self-Supervised Learning: A Clustering-Based Approach",
    "Vo, Khalidov, Darcet, Moutakanni, Smetanin, Szafraniec, Touvron, Couprie, Oquab, Joulin, Jégou, Labatut, Bojanowski",
    2024,
    "arXiv:2405.15613",
)
PER_CLUSTER, PER_LEVEL, LEVELS, FEWEST = 30, 5, 4, 10  # rows of a cluster, clusters of the next level's, and where it ends
LEARNED = 32  # rows for each cluster from which k-means learns
ROUNDS, STILL = 50, 3e-5  # of Lloyd's algorithm: at most so many, fewer once centroids move less than this share of the scatter


def usual_levels(n: int) -> list[int]:
    """How many clusters each level has for n rows: a cluster for 30 of them, then a fifth of these, down to 10."""
    sizes = [max(n // PER_CLUSTER, 1)]
    while len(sizes) < LEVELS and sizes[-1] // PER_LEVEL >= FEWEST:
        sizes.append(sizes[-1] // PER_LEVEL)
    return sizes


def hierarchical_kmeans(
    x: Tensor, sizes: list[int], closest: list[int] | None = None, *, resamples: int = 10, seed: int = 0
) -> list[Tensor]:
    """n × d, float32 -> for each level the cluster of every member of the level below: n labels, then k₁, then k₂, …, int64.

    Vo et al. 2024, section 3 and algorithm 1: each level clusters the centroids of the one before it, without weights. In a
    level, k-means of all points is followed by `resamples` rounds that each take the `closest` points of every cluster, run
    k-means from new seeds on these alone, and assign all points anew. By this the centroids come to lie evenly where there is
    data, however dense it is. `closest` is by default half of a level's mean cluster, as in the paper's settings; with 1 there
    is no resampling. Distances are Euclidean in the space that is given.

    Other than in the published code, k-means learns from at most 32 points for each cluster, drawn at random, a cluster that
    loses its members takes the farthest point, and Lloyd's algorithm ends before its 50 rounds once the centroids rest.

    checked: facebookresearch/ssl-data-curation@f540537
    """
    if closest is None:
        closest = [max(below // (2 * k), 1) for below, k in zip([len(x), *sizes], sizes)]
    if len(closest) != len(sizes):
        raise ValueError(f"{len(sizes)} levels and {len(closest)} numbers of points to take closest to their centroids")
    found = []
    for level, (k, some) in enumerate(zip(sizes, closest)):
        x = _even_centroids(levelled := x, min(k, len(x)), some, resamples, counter.key(seed, "levels", level))
        found.append(assign(levelled, x)[0])
    return found


def _even_centroids(x: Tensor, k: int, closest: int, resamples: int, key: int) -> Tensor:
    """The centroids of one level: k × d."""
    centroids = _settled(x, k, key)
    for turn in range(resamples if closest > 1 else 0):
        nearest = x[_closest(*assign(x, centroids), closest)]
        centroids = _settled(nearest, min(k, len(nearest)), counter.key(key, turn))
    return centroids


def _settled(x: Tensor, k: int, key: int) -> Tensor:
    """The centroids of k-means from new seeds: k × d."""
    if len(x) > LEARNED * k:
        x = x[torch.from_numpy(np.sort(counter.permutation(key, len(x))[: LEARNED * k]))]
    centroids = x[plus_plus(x, k, key)]
    least = STILL * float(x.var(0, correction=0).sum())
    for _ in range(ROUNDS):
        before, centroids = centroids, lloyd(x, centroids, 1)
        if float((centroids - before).square().sum(1).mean()) <= least:
            break
    return centroids


def _closest(labels: Tensor, distances: Tensor, most: int) -> Tensor:
    """The positions of the points of each cluster that are closest to its centroid, at most so many."""
    order = np.lexsort((distances.numpy(), labels.numpy()))
    ends = np.bincount(labels.numpy()).cumsum()
    of = labels.numpy()[order]
    rank = np.arange(len(order)) - np.concatenate([[0], ends])[of]
    return torch.from_numpy(order[rank < most])
