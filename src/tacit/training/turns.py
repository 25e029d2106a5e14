"""One turn of one player: whose parameters ask for gradient, and the sum of the loss's terms."""

import torch
from torch import Tensor

from tacit.method import Loss, Method


class Focus:
    """Lets only the parameters of the player whose turn it is, and none that are held, ask for gradient."""

    def __init__(self, method: Method):
        self.method = method
        self.asking = {name: p for name, p in method.named_parameters() if p.requires_grad}
        self.now: tuple[str, tuple[str, ...]] = ("", ())

    def on(self, player: str, held: tuple[str, ...]) -> bool:
        """Turn to a player; whether any parameter of it is free to move."""
        if (player, held) != self.now:
            own = tuple(self.method.players[player]) if player else ("",)
            for name, parameter in self.asking.items():
                parameter.requires_grad_(name.startswith(own) and not name.startswith(held))
            self.now = (player, held)
        return any(parameter.requires_grad for parameter in self.asking.values())


def add(loss: Loss, player: str, terms: dict[str, Tensor], share: int) -> Tensor:
    """The weighted sum of a loss's terms, divided by `share`; every term is noted, detached, under its name."""
    pairs: dict[str, tuple[Tensor, float]] = {}
    if isinstance(loss, dict):
        pairs = {name: term if isinstance(term, tuple) else (term, 1.0) for name, term in loss.items()}
        summed = torch.stack([value * weight for value, weight in pairs.values()]).sum()
    else:
        summed = loss
    for name, value in [("loss", summed), *((name, value) for name, (value, _) in pairs.items())]:
        name = f"{player}_{name}" if player and name != "loss" else name
        part = value.detach().float() / share
        terms[name] = terms[name] + part if name in terms else part
    return summed / share
