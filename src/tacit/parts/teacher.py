"""A slow copy of a module, moved towards it after every step."""

import copy
import math

import torch
from torch import nn

from tacit.numerics.processes import alike


class Teacher(nn.Module):
    """The exponential moving average of another module: MoCo's key encoder, BYOL's target, DINO's teacher.

    Parameters are averaged, buffers (batch statistics) are its own; it never asks for gradient. Calling it is under
    no_grad.
    """

    def __init__(self, student: nn.Module):
        super().__init__()
        self.module = copy.deepcopy(student).requires_grad_(False)

    @torch.no_grad()
    def forward(self, *inputs):
        return self.module(*inputs)

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """teacher ← momentum · teacher + (1 − momentum) · student."""
        own, others = list(self.module.parameters()), list(student.parameters())
        for kind in alike(own):
            torch._foreach_lerp_([own[i] for i in kind], [others[i] for i in kind], 1 - momentum)


def rising(momentum: float, progress: float) -> float:
    """A teacher's momentum that starts at `momentum` and ends at 1, by a cosine (BYOL, arXiv:2006.07733, section 3.2)."""
    return 1 - (1 - momentum) * (math.cos(math.pi * progress) + 1) / 2
