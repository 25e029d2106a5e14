"""What claims on clusters of nodes share: how well clusters are the classes."""

import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.data.networks.graph import GraphNodes
from tacit.evaluation.labelled.clustering import ari, cluster_accuracy, contingency, nmi
from tacit.numerics import counter
from tacit.numerics.kmeans import best_kmeans


def found_by_kmeans(z: Tensor, k: int, seed: int) -> tuple[Tensor, Tensor]:
    """The best of twenty starts, as by SCGC itself: clusters, int64, N, and their means, k × d."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(counter.key(seed, "claims", "clusters"))
        return best_kmeans(z, k)


def compared(clusters: Tensor, nodes: GraphNodes) -> Measures:
    """Accuracy, NMI and ARI of clusters against the classes, in per cent."""
    assert nodes.labels is not None  # or nothing could be compared
    table = contingency(clusters, torch.from_numpy(nodes.labels))
    return {"cluster_accuracy": 100 * cluster_accuracy(table), "nmi": 100 * nmi(table), "ari": 100 * ari(table)}
