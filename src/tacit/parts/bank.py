"""A memory of one feature per sample."""

import torch
from torch import Tensor, nn

from tacit.numerics.exact import unit


class Bank(nn.Module):
    """N features of unit length, moved towards what the encoder says now.

    Wu et al. 2018 in its released code: entries start uniform in ±√(3/d) and move as
    v ← normalize(momentum · v + (1 − momentum) · f).
    """

    features: Tensor

    def __init__(self, n: int, dim: int, momentum: float = 0.5):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("features", (torch.rand(n, dim) * 2 - 1) * (3 / dim) ** 0.5)

    @torch.no_grad()
    def update(self, index: Tensor, feature: Tensor) -> None:
        """Move the entries at `index` (n, each once) towards `feature` (n × d)."""
        moved = self.momentum * self.features[index] + (1 - self.momentum) * unit(feature)
        self.features[index] = unit(moved)
