"""Trainable cluster centres on the sphere."""

import torch
from torch import Tensor, nn

from tacit.numerics.exact import full_precision, unit


class Prototypes(nn.Module):
    """k directions of length one: features … × dim -> their cosines with each, … × k (Caron et al. 2020, arXiv:2006.09882).

    The owner calls `normalise` in its `after_step`: then what a step uses and what every process holds are the same
    directions. Before the step, as the released code has it, they are the same numbers too, but what is saved at the end
    would have moved off the sphere, and each micro-batch would round them once more. Averaged weights (`ema`) are averaged
    before that and lie within the sphere; outside of training lengths are divided out, so that they give cosines too.
    """

    def __init__(self, dim: int, k: int):
        super().__init__()
        self.directions = nn.Linear(dim, k, bias=False)
        self.normalise()

    @torch.no_grad()
    def normalise(self) -> None:
        """Back to length one, in place: whatever the optimiser did to the lengths, decay included, is dropped."""
        self.directions.weight.copy_(unit(self.directions.weight))

    def forward(self, z: Tensor) -> Tensor:
        with full_precision():
            weight = self.directions.weight.float()
            return unit(z) @ (weight if self.training else unit(weight)).T
