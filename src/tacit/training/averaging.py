"""Averaged weights, kept instead of the last ones where a recipe says `ema`."""

import torch
from torch import Tensor

from tacit.method import Method


class Average:
    """average ← decay · average + (1 − decay) · weights, after every step; a decay of 0 costs nothing."""

    def __init__(self, method: Method, decay: float):
        self.decay = decay
        own = {name: p for name, p in method.named_parameters() if p.requires_grad} if decay else {}
        self.weights: dict[str, Tensor] = {name: p.detach().clone() for name, p in own.items()}
        self.followed: list[Tensor] = list(own.values())

    @torch.no_grad()
    def update(self) -> None:
        if self.decay:
            torch._foreach_lerp_(list(self.weights.values()), self.followed, 1 - self.decay)

    @torch.no_grad()
    def into_method(self) -> None:
        """The averaged weights take the place of the last ones."""
        for average, weight in zip(self.weights.values(), self.followed):
            weight.copy_(average)

    def load(self, saved: dict[str, Tensor]) -> None:
        for name, value in saved.items():
            self.weights[name].copy_(value)
