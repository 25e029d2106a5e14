"""A memory of recent features in clusters of about equal use, in which neighbours are looked for within a cluster."""

import torch
from torch import Tensor

from tacit.numerics.exact import unit
from tacit.numerics.kmeans import cluster_sums, kmeans
from tacit.numerics.sinkhorn import sinkhorn
from tacit.parts.queue import Queue


class Clustered(Queue):
    """A ring of rows, each of one of k clusters, and the clusters' means (Poulakakis-Daktylidis & Jamali-Rad 2024, DyCE).

    labels      int64, length: the cluster of each row
    prototypes  k × dim: means of the rows of unit length that are of each
    begun       bool: whether there are clusters yet
    """

    labels: Tensor
    prototypes: Tensor
    begun: Tensor

    def __init__(self, length: int, dim: int, k: int):
        super().__init__(length, dim)
        self.register_buffer("labels", torch.zeros(length, dtype=torch.int64))
        self.register_buffer("prototypes", torch.zeros(k, dim))
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))
        self.ready = False

    def clustered(self) -> bool:
        """Whether there are clusters: asked of the device until there are, since asking waits."""
        self.ready = self.ready or bool(self.begun)
        return self.ready

    def cluster(self) -> None:
        """All rows anew, by k-means on the sphere."""
        labels, means = kmeans(unit(self.rows), len(self.prototypes))
        self.labels.copy_(labels)
        self.prototypes.copy_(means)
        self.begun.fill_(True)

    def put(self, rows: Tensor, epsilon: float) -> None:
        """Rows n × dim in place of the oldest, in clusters that they use alike; clusters are where their rows are from then on.

        The likeliest cluster by the transport plan exp(−distance / `epsilon`), of rows and prototypes of unit length. A cluster
        without rows stays where it was.
        """
        places = (self.at + torch.arange(len(rows), device=rows.device)) % len(self.rows)
        self.push(rows)
        if not self.clustered():
            return
        apart = torch.cdist(unit(rows), unit(self.prototypes))
        self.labels[places] = sinkhorn(-apart, epsilon, 10).argmax(1)
        counts = self.labels.bincount(minlength=len(self.prototypes))[:, None]
        sums = cluster_sums(self.rows, self.labels, len(self.prototypes))
        self.prototypes.copy_(torch.where(counts > 0, sums / counts.clamp_min(1), self.prototypes))

    def nearest(self, rows: Tensor, count: int) -> Tensor:
        """Where the `count` most alike rows are of the cluster whose prototype is most alike, by cosine: n × d -> n × count.

        Of all rows where that cluster has no more than so many.
        """
        asked, known = unit(rows.detach()), unit(self.rows)
        cluster = (asked @ unit(self.prototypes).T).argmax(1)
        inside = self.labels == cluster[:, None]
        inside |= inside.sum(1, keepdim=True) <= count
        alike = (asked @ known.T).masked_fill(~inside, -torch.inf)
        return alike.topk(count).indices
