"""Whether clusters come out the same from other samples of the same data, without labels."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import student, subsample
from tacit.evaluation.labelled.clustering import ari, contingency
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import assign, kmeans

LIMIT = 16384  # samples: the time grows with samples times clusters
ROUNDS = 20  # of Lloyd's algorithm


def cluster_stability(features: Tensor, clusters: int = 10, pairs: int = 5) -> Number:
    """Adjusted Rand index of the k-means clusters of two random halves, mean over `pairs`: 1 the same, 0 by chance; n × d.

    Of the features' directions. The halves share no sample; the nearest centroid carries each half's clusters to all
    samples, on which they are compared. Lange et al. 2004 (Stability-based validation of clustering solutions)
    compare halves so too, on one of them and by the share of disagreement under the best matching.
    """
    if clusters < 2 or pairs < 1:
        raise TacitError(f"Cluster stability got {clusters} clusters and {pairs} pairs; give at least 2 clusters and 1 pair.")
    if len(features) < 4 * clusters:
        return missing("cluster_stability", f"{len(features)} samples are too few for {clusters} clusters: 2 each in a half.")
    x = unit(features[torch.from_numpy(subsample(len(features), LIMIT, "cluster_stability")).to(features.device)])
    if same_direction(x):
        return missing("cluster_stability", f"all {len(x)} features point the same way, so there are no clusters.")
    each = np.array([_agreement(x, clusters, pair) for pair in range(pairs)])
    low, high = student(each)
    interval = f"t over {pairs} pairs of halves of the same samples, 95 %: what other samples change is not in it"
    protocol = {
        "samples": len(x),
        "clusters": clusters,
        "pairs": pairs,
        "algorithm": f"k-means from k-means++ seeds, one start, at most {ROUNDS} rounds",
        "features": "rows of length one",
        "interval": interval if pairs > 1 else "none: one pair",
    }
    return Number("cluster_stability", float(each.mean()), max(low, -0.5), min(high, 1.0), protocol)


def seeded_kmeans(features: Tensor, clusters: int, key: int) -> tuple[Tensor, Tensor]:
    """k-means from the draws of this key: labels and centroids."""
    with torch.random.fork_rng(devices=[]):  # k-means draws from torch's generator, on the CPU: leave it as it was
        torch.default_generator.manual_seed(key)
        return kmeans(features, clusters, ROUNDS)


def same_direction(x: Tensor) -> bool:
    """Whether rows of length one differ by no more than rounding."""
    return bool((x - x[0]).abs().max() < 1e-6)


def _agreement(x: Tensor, clusters: int, pair: int) -> float:
    order = torch.from_numpy(counter.permutation(counter.key("cluster_stability", pair), len(x))).to(x.device)
    found = []
    for number, half in enumerate((order[: len(x) // 2], order[len(x) // 2 :])):
        _, centroids = seeded_kmeans(x[half], clusters, counter.key("cluster_stability", pair, number))
        found.append(assign(x, centroids)[0])
    return ari(contingency(*found))
