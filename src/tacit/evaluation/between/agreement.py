"""Whether two representations fall into the same clusters, without labels."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.between.models import fault
from tacit.evaluation.intervals import bootstrap
from tacit.evaluation.labelled.clustering import ari, contingency
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter
from tacit.numerics.kmeans import kmeans


def cluster_agreement(first: Tensor, second: Tensor, clusters: int = 10, starts: int = 10, seed: int = 0) -> Number:
    """Adjusted Rand index of the k-means clusters of n × d₁ with those of n × d₂, mean over starts: 1 alike, 0 by chance.

    k-means as in `numerics.kmeans`, on the features as they are, from the same draws in both spaces, so that equal spaces agree
    fully. `stability` in the protocol is each space's agreement with itself from one start to the next: where that is low there
    are no such clusters to agree on.
    """
    if clusters < 2 or starts < 2:
        raise TacitError(f"Clusters were asked for with k = {clusters} from {starts} starts; give at least 2 of both.")
    if reason := fault(first, second, fewest=2 * clusters):
        return missing("cluster_agreement", reason)
    runs = [[_clusters(features, clusters, seed, start) for start in range(starts)] for features in (first, second)]
    each = np.array([ari(contingency(a, b)) for a, b in zip(*runs)])
    stability = [float(np.mean([ari(contingency(a, b)) for a, b in pairwise(run)])) for run in runs]
    protocol = {
        "samples": len(first),
        "clusters": clusters,
        "starts": starts,
        "seed": seed,
        "stability": stability,
        "interval": "bootstrap over starts of k-means, not over samples, 1000 resamples, 95 %",
    }
    return Number("cluster_agreement", float(each.mean()), *bootstrap(each, "cluster_agreement"), protocol)


def _clusters(features: Tensor, clusters: int, seed: int, start: int) -> Tensor:
    with torch.random.fork_rng(devices=[]):  # k-means draws from torch's generator, on the CPU: leave it as it was
        torch.manual_seed(counter.key(seed, "clusters between", start) >> 1)
        return kmeans(features, clusters)[0]
