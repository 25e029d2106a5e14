"""One turn of one player: whose parameters ask for gradient, and the sum of the loss's terms."""

from collections.abc import Iterable

import torch
from torch import Tensor

from tacit.errors import unknown
from tacit.method import Loss, Method
from tacit.training.signals import Signals

# What a line of the log says by itself, the signals with it.
WATCHED = ("alarm", "warning", "passed", "notice", "usual_overlap", *Signals._fields)
TAKEN = frozenset(("loss", "stage", "epoch", "step", "lr", "samples_per_second", *WATCHED))


class Focus:
    """Lets only the parameters of the player whose turn it is, and none that are held, ask for gradient."""

    def __init__(self, method: Method):
        self.method = method
        self.asking = {name: p for name, p in method.named_parameters() if p.requires_grad}
        self.now: tuple[str, tuple[str, ...]] = ("", ())
        known_prefixes("part of a player", (prefix for own in method.players.values() for prefix in own), method)

    def on(self, player: str, held: tuple[str, ...]) -> bool:
        """Turn to a player; whether any parameter of it is free to move."""
        if (player, held) != self.now:
            own = tuple(self.method.players[player]) if player else ("",)
            for name, parameter in self.asking.items():
                mine, waits = (any(within(name, prefix) for prefix in prefixes) for prefixes in (own, held))
                parameter.requires_grad_(mine and not waits)
            self.now = (player, held)
        return any(parameter.requires_grad for parameter in self.asking.values())


def within(name: str, prefix: str) -> bool:
    """Whether a parameter's name begins with these whole words: `head.bias` lies within `head`, `header.bias` does not."""
    return not prefix or name == prefix or name.startswith(f"{prefix}.")


def known_prefixes(what: str, prefixes: Iterable[str], method: Method) -> None:
    """Refuse a prefix that names no module and no parameter of a method."""
    known = {name for name, _ in (*method.named_modules(), *method.named_parameters())}
    for prefix in prefixes:
        if prefix not in known:
            raise unknown(what, prefix, {name.partition(".")[0] for name in known if name} | _near(prefix, known))


def _near(prefix: str, known: Iterable[str]) -> set[str]:
    return {name for name in known if name.count(".") == prefix.count(".")} if "." in prefix else set()


def add(loss: Loss, player: str, terms: dict[str, Tensor], share: int, turns: int = 1) -> Tensor:
    """The weighted sum of a loss's terms, divided by `share`; each is noted, detached: the mean of its player's turns."""
    pairs: dict[str, tuple[Tensor, float]] = {}
    if isinstance(loss, dict):
        pairs = {name: term if isinstance(term, tuple) else (term, 1.0) for name, term in loss.items()}
        if collision := TAKEN & pairs.keys():
            raise ValueError(f"a term of the loss is named {min(collision)!r}, as the log's own field is; give it another name")
        summed = torch.stack([value * weight for value, weight in pairs.values()]).sum()
    else:
        summed = loss
    for name, value in [("loss", summed), *((name, value) for name, (value, _) in pairs.items())]:
        name = f"{player}_{name}" if player and name != "loss" else name
        part = value.detach().float() / (share * turns)
        terms[name] = terms[name] + part if name in terms else part
    return summed / share
