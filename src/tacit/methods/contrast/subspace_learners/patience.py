"""When there is to be one learner more."""

import torch
from torch import Tensor, nn


class Patience(nn.Module):
    """When a number has not risen for so many epochs, and whether one waits for that at all: again after each rise.

    best   float64: the highest so far, of what is at least 0
    since  int64: epochs since
    waits  bool
    """

    best: Tensor
    since: Tensor
    waits: Tensor

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs
        self.register_buffer("best", torch.zeros((), dtype=torch.float64))
        self.register_buffer("since", torch.zeros((), dtype=torch.int64))
        self.register_buffer("waits", torch.ones((), dtype=torch.bool))

    def over(self, number: float) -> bool:
        """Whether it is, after an epoch that ends with this number."""
        rises = number > float(self.best)
        self.best.clamp_(min=number)
        self.since.add_(1).mul_(not rises)
        self.waits |= rises
        return bool(self.waits) and int(self.since) >= self.epochs

    def rest(self) -> None:
        """Wait for a rise first."""
        self.waits.fill_(False)
