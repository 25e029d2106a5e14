"""Clusters of all samples that follow the batches, none of which runs empty."""

import torch
from torch import Tensor, nn

from tacit.numerics.exact import unit
from tacit.numerics.kmeans import cluster_sums, kmeans

ROUNDS = 20  # of k-means, of all samples and of the two halves of one cluster


class OnlineClusters(nn.Module):
    """A feature of length one and a cluster of each of n samples, and the k centroids (Zhan et al. 2020, arXiv:2006.10645).

    Features move as f ← unit((1 − momentum) · f + momentum · unit(what the encoder says now)); clusters of fewer than `least`
    are dissolved. Centroids are plain means, and of two as near in direction the longer one is nearer.
    """

    features: Tensor
    labels: Tensor
    centroids: Tensor
    begun: Tensor
    steps: Tensor

    def __init__(self, n: int, k: int, dim: int, momentum: float, least: int):
        super().__init__()
        self.momentum, self.least = momentum, least
        self.register_buffer("features", torch.zeros(n, dim))
        self.register_buffer("labels", torch.zeros(n, dtype=torch.int64))
        self.register_buffer("centroids", torch.zeros(k, dim))
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))  # updates so far

    @torch.no_grad()
    def begin(self, z: Tensor) -> None:
        """From all features, n × dim, by k-means of their directions."""
        self.features.copy_(unit(z))
        self.labels.copy_(kmeans(self.features, len(self.centroids), ROUNDS)[0])
        self.recentre()
        self.begun.fill_(True)

    @torch.no_grad()
    def update(self, index: Tensor, feature: Tensor) -> None:
        """Move the features at `index` (n, each once) towards `feature` (n × dim), each to the centroid then nearest to it."""
        moved = unit((1 - self.momentum) * self.features[index] + self.momentum * unit(feature))
        self.features[index] = moved
        self.labels[index] = (moved @ self.centroids.T).argmax(1)
        self.steps += 1

    @torch.no_grad()
    def recentre(self) -> None:
        """Every centroid to the mean of its members; of those without any as it is."""
        sums = cluster_sums(self.features, self.labels, len(self.centroids))
        size = self.sizes()[:, None]
        self.centroids.copy_(torch.where(size > 0, sums / size.clamp_min(1), self.centroids))

    @torch.no_grad()
    def dissolve(self) -> None:
        """Members of too small clusters go to the nearest other centroid; each takes a half of the cluster largest by then."""
        small = (self.sizes() < self.least).nonzero()[:, 0]
        if not len(small):
            return
        rows = torch.isin(self.labels, small).nonzero()[:, 0]
        nearness = self.features[rows] @ self.centroids.T
        self.labels[rows] = nearness.index_fill(1, small, -torch.inf).argmax(1)
        for empty in small:
            largest = self.sizes().argmax()
            members = (self.labels == largest).nonzero()[:, 0]
            half = kmeans(self.features[members], 2, ROUNDS)[0].bool()
            if half.all() or not half.any():  # all features are equal
                half = torch.arange(len(members), device=half.device) % 2 == 1
            self.labels[members[half]] = empty
            for one, own in ((largest, members[~half]), (empty, members[half])):
                self.centroids[one] = self.features[own].mean(0)

    def sizes(self) -> Tensor:
        """How many members each cluster has: int64, k."""
        return self.labels.bincount(minlength=len(self.centroids))
