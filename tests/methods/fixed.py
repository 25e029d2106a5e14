"""Fixed tensors and weights that the official code was given too."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tacit.method import Batch

N, D = 8, 6


class Identity(nn.Module):
    """An encoder that says what it sees."""

    dim = D

    def forward(self, x: Tensor) -> Tensor:
        return x


def wave(*shape: int, turn: float) -> Tensor:
    """sin(turn · (i + 1)) in the order of memory, computed in single precision."""
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float32) * turn + turn).view(*shape)


def sine(*shape: int, rate: float) -> Tensor:
    """sin(rate · i) in the order of memory, computed in double: another series, given to other official codes."""
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * rate).float().view(*shape)


@torch.no_grad()
def fill(parameters: Iterable[Tensor]) -> None:
    """Weights half a wave each, of another turn; vectors around 1."""
    for i, p in enumerate(parameters):
        p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.5 + (1.0 if p.ndim == 1 else 0.0))


def views(*turns: float) -> Batch:
    """A batch of one view for each turn."""
    return Batch([wave(N, D, turn=turn) for turn in turns], torch.arange(N))


def matrix_gradients(module: nn.Module) -> list[float]:
    """The norm of each matrix's gradient, in order."""
    return [float(p.grad.norm()) for p in module.parameters() if p.grad is not None and p.ndim == 2]
