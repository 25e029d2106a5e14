"""Clusters of directions that follow the batches."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.numerics.exact import unit
from tacit.numerics.kmeans import cluster_sums


class MovingClusters(nn.Module):
    """k centroids that are compared by cosine, as ClusterNS (Deng et al. 2023, arXiv:2305.09892) keeps them in its code."""

    centroids: Tensor
    begun: Tensor

    def __init__(self, k: int, dim: int, rate: float):
        super().__init__()
        self.rate = rate
        self.register_buffer("centroids", torch.zeros(k, dim))
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def begin(self, z: Tensor, cosines: Tensor) -> None:
        """At k of the rows of z, N × d: one drawn, then each time the least like the last one: cosines N × N, by row."""
        k = len(self.centroids)
        if k > len(z):
            raise TacitError(
                f"There are {k} clusters and {len(z)} samples in a batch; give fewer --clusters or a larger --batch."
            )
        free = torch.zeros(len(z), device=z.device)
        chosen = [int(torch.randint(len(z), ()))]
        for _ in range(k - 1):
            free[chosen[-1]] = torch.inf
            chosen.append(int((cosines[chosen[-1]] + free).argmin()))
        self.centroids.copy_(z[chosen])
        self.begun.fill_(True)

    @torch.no_grad()
    def moved(self, z: Tensor) -> Tensor:
        """Where the centroids go with the rows of z, N × d: (1 − rate) · c + rate · the sum of those nearest to it; k × d."""
        nearest = (unit(z) @ unit(self.centroids).T).argmax(1)
        sums = cluster_sums(z.float(), nearest, len(self.centroids))
        empty = torch.bincount(nearest, minlength=len(sums)) == 0
        return torch.where(empty[:, None], self.centroids, (1 - self.rate) * self.centroids + self.rate * sums)
