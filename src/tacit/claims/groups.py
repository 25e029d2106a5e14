"""What claims about clustering share: groups of a matrix of how alike samples are, and how well groups are the classes."""

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.evaluation.labelled.clustering import cluster_accuracy, contingency, nmi
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import best_kmeans


def spectral(alike: Tensor, k: int, seed: int) -> Tensor:
    """Groups by spectral clustering, symmetric and normalised, of a matrix n × n, 0 or more: int64, n."""
    from sklearn.cluster import SpectralClustering

    found = SpectralClustering(k, affinity="precomputed", random_state=seed, n_init=10)
    return torch.from_numpy(found.fit_predict(((alike + alike.T) / 2).double().numpy()).astype(np.int64))


def nearest_graph(x: Tensor, neighbours: int = 10) -> Tensor:
    """Which rows are among the nearest of each, by cosine: n × n of 0 and 1."""
    near = (unit(x) @ unit(x).T).fill_diagonal_(-2).topk(neighbours).indices
    return torch.zeros(len(x), len(x)).scatter_(1, near, 1.0)


def by_kmeans(x: Tensor, k: int, seed: int) -> Tensor:
    """Groups by k-means of directions, the best of ten starts: int64, n."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return best_kmeans(unit(x), k, 10, 50)[0]


def judged_groups(found: Tensor, labels: Tensor) -> Measures:
    """Accuracy under the best matching, and NMI, in per cent."""
    table = contingency(found, labels)
    return {"accuracy": 100 * cluster_accuracy(table), "nmi": 100 * nmi(table)}
