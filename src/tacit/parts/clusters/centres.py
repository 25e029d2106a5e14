"""Trainable centres of clusters, begun by k-means."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.numerics.exact import full_precision
from tacit.numerics.kmeans import best_kmeans


class Centres(nn.Module):
    """k points: codes n × d -> how much each belongs to which cluster, n × k (Xie et al. 2016, arXiv:1511.06335, equation 1).

    By Student's t with one degree of freedom: (1 + ‖z − μ‖²)⁻¹, rows that sum to 1.
    """

    def __init__(self, k: int, dim: int):
        super().__init__()
        self.points = nn.Parameter(torch.zeros(k, dim))

    @torch.no_grad()
    def begin(self, z: Tensor, starts: int = 20, rounds: int = 100) -> None:
        """To the centroids of the best of several runs of k-means on all codes N × d: that of the least squared distances."""
        if len(self.points) > len(z):
            raise TacitError(f"There are {len(self.points)} clusters for {len(z)} samples; give fewer --clusters.")
        self.points.copy_(best_kmeans(z, len(self.points), starts, rounds)[1])

    def forward(self, z: Tensor) -> Tensor:
        with full_precision():
            gaps = z.float()[:, None] - self.points.float()
            near = 1 / (1 + gaps.square().sum(2))
            return near / near.sum(1, keepdim=True)
