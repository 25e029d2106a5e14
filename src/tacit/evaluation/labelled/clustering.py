"""Whether clusters found without labels are the classes: k-means, then accuracy, NMI and ARI."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import student, subsample
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import kmeans

NAMES = ("cluster_accuracy", "nmi", "ari")
LOWEST = (0.0, 0.0, -0.5)  # the least each can be: bounds the interval
ROUNDS = 20  # of Lloyd's algorithm
LIMIT = 16384  # samples: the time grows with samples times classes


def clustering(features: Tensor, labels: Tensor, seeds: int = 5) -> list[Number]:
    """Cluster accuracy, NMI and ARI of k-means with as many clusters as classes: features n × d, labels int64, n.

    The mean over `seeds` runs of k-means on rows of length one; the interval is of that mean, so it holds what the seeds
    change and not which samples were drawn. Formulas: `cluster_accuracy`, `nmi`, `ari`.
    """
    if seeds < 1:
        raise TacitError(f"Clustering got {seeds} seeds; give at least 1.")
    rows = torch.from_numpy(subsample(len(features), LIMIT, "clustering")).to(features.device)
    classes, target = labels[rows].unique(return_inverse=True)
    k = len(classes)
    if k < 2:
        return [missing(name, f"the {len(rows)} labels are of {k} classes; clusters need at least two.") for name in NAMES]
    tables = [contingency(found, target) for found in _clusters(unit(features[rows]), k, seeds)]
    scores = np.array([[measure(table) for measure in (cluster_accuracy, nmi, ari)] for table in tables])
    protocol = {
        "test": len(rows),
        "clusters": k,
        "seeds": seeds,
        "algorithm": f"k-means from k-means++ seeds, one start, at most {ROUNDS} rounds",
        "features": "rows of length one",
        "interval": f"t over {seeds} seeds, 95 %: what the samples change is not in it" if seeds > 1 else "none: one seed",
    }
    numbers = []
    for name, lowest, found in zip(NAMES, LOWEST, scores.T):
        low, high = student(found)
        numbers.append(Number(name, float(found.mean()), max(low, lowest), min(high, 1.0), protocol))
    return numbers


def contingency(first: Tensor, second: Tensor) -> np.ndarray:
    """How many samples lie in each part of one division (rows) and in each of another (columns): int64 ≥ 0, n each."""
    rows, columns = int(first.max()) + 1, int(second.max()) + 1
    side = max(rows, columns)  # square, as the matching wants it
    return torch.bincount(first * side + second, minlength=side * side).view(side, side).double().cpu().numpy()


def cluster_accuracy(table: np.ndarray) -> float:
    """Share of samples in the right cluster, under the best one-to-one matching of clusters and classes: k × k counts.

    Yang et al. 2010 (Image Clustering Using Local Discriminant Models and Global Integration), by Kuhn's Hungarian method.
    """
    from scipy.optimize import linear_sum_assignment

    clusters, classes = linear_sum_assignment(table, maximize=True)
    return float(table[clusters, classes].sum() / table.sum())


def nmi(table: np.ndarray) -> float:
    """Mutual information over the arithmetic mean of both entropies (Vinh et al. 2010, JMLR 11, table 2, NMI_sum).

    Not corrected for chance: it grows with the number of clusters.
    """
    joint = table / table.sum()
    by_chance = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    shared = float((joint[seen] * np.log(joint[seen] / by_chance[seen])).sum())
    return max(0.0, shared) / ((_entropy(joint.sum(0)) + _entropy(joint.sum(1))) / 2)


def ari(table: np.ndarray) -> float:
    """Adjusted Rand index: agreement on pairs, 0 on average by chance, 1 when equal (Hubert and Arabie 1985, equation 5)."""
    both, clusters, classes = (float(_pairs(part).sum()) for part in (table, table.sum(1), table.sum(0)))
    by_chance = clusters * classes / float(_pairs(table.sum()))
    most = (clusters + classes) / 2
    return (both - by_chance) / (most - by_chance) if most > by_chance else 1.0  # equal: every sample is a class of its own


def _clusters(features: Tensor, k: int, seeds: int) -> Iterator[Tensor]:
    for seed in range(seeds):
        with torch.random.fork_rng(devices=[]):  # k-means draws from torch's generator, on the CPU: leave it as it was
            torch.default_generator.manual_seed(counter.key("clustering", seed))
            yield kmeans(features, k, ROUNDS)[0]


def _entropy(share: np.ndarray) -> float:
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def _pairs(counts: np.ndarray) -> np.ndarray:
    return counts * (counts - 1) / 2
