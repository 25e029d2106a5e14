"""Trainable cluster centres on the sphere."""

import torch
from torch import Tensor, nn

from tacit.numerics.exact import full_precision, unit


class Prototypes(nn.Module):
    """k directions of length one: features n × d -> their cosines with each, n × k."""

    def __init__(self, dim: int, k: int):
        super().__init__()
        self.directions = nn.Linear(dim, k, bias=False)
        self.normalise()

    @torch.no_grad()
    def normalise(self) -> None:
        """Back to length one; to be called after every step."""
        self.directions.weight.copy_(unit(self.directions.weight))

    def forward(self, z: Tensor) -> Tensor:
        with full_precision():
            return unit(z) @ self.directions.weight.float().T
