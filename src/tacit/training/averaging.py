"""Averaged weights, kept instead of the last ones where a recipe says `ema`."""

import torch
from torch import Tensor, nn

from tacit.method import Method
from tacit.numerics.processes import alike, like


class Average:
    """average ← decay · average + (1 − decay) · weights, after every step; a decay of 0 costs nothing.

    The statistics of norms that are trained are averaged with the weights that they belong to. Other buffers (banks,
    queues, teachers) move by their own rules and are left alone.
    """

    def __init__(self, method: Method, decay: float):
        self.decay = decay
        own = ({name: p for name, p in method.named_parameters() if p.requires_grad} | _statistics(method)) if decay else {}
        self.weights: dict[str, Tensor] = {name: p.detach().clone() for name, p in own.items()}
        self.followed: list[Tensor] = list(own.values())

    @torch.no_grad()
    def update(self) -> None:
        if self.decay:
            weights = list(self.weights.values())
            for kind in alike(weights):
                torch._foreach_lerp_([weights[i] for i in kind], [self.followed[i] for i in kind], 1 - self.decay)

    @torch.no_grad()
    def into_method(self) -> None:
        """The averaged weights take the place of the last ones."""
        for average, weight in zip(self.weights.values(), self.followed):
            weight.copy_(average)

    def load(self, saved: dict[str, Tensor]) -> None:
        for name, value in saved.items():
            self.weights[name].copy_(like(value, self.weights[name]))


def _statistics(method: Method) -> dict[str, Tensor]:
    """Running means and variances, by the names of the method's state; not of norms that somebody else moves."""
    norms = {
        name: module
        for name, module in method.named_modules()
        if isinstance(module, nn.modules.batchnorm._NormBase) and all(p.requires_grad for p in module.parameters())
    }
    found = {f"{at}.{name}".lstrip("."): value for at, norm in norms.items() for name, value in norm.named_buffers()}
    return {name: value for name, value in found.items() if value.is_floating_point()}
