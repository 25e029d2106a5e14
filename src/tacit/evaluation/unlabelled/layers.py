"""The layers of a representation side by side: how their spectra change with depth, and what the projector takes away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import Number
from tacit.evaluation.panel import Judged, judge

FREE = ("rankme", "alpha_req", "spread", "uniformity", "alignment")  # what is said of a layer without labels
LABELLED = ("knn", "linear")


@dataclass(frozen=True)
class Layer:
    """What is said of one layer's answer, pooled over places or tokens to one row per sample."""

    name: str  # as in the module that holds it: "encoder.blocks.2", "projector.0"
    width: int
    numbers: list[Number]

    def number(self, metric: str) -> Number | None:
        """One number, if the layer has it."""
        return next((n for n in self.numbers if n.name == metric), None)


@dataclass(frozen=True)
class Layers:
    """The layers of one run in the order in which samples pass them, over so many samples."""

    layers: list[Layer]
    samples: int

    def __post_init__(self) -> None:
        if not self.layers:
            raise TacitError("There is no layer to tell of; give at least one and its numbers.")

    def __getitem__(self, name: str) -> Layer:
        found = next((layer for layer in self.layers if layer.name == name), None)
        if found is None:
            raise TacitError(f"There is no layer {name!r}; there are {', '.join(layer.name for layer in self.layers)}.")
        return found

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics that some layer has, in order of first appearance."""
        return list(dict.fromkeys(n.name for layer in self.layers for n in layer.numbers))

    @property
    def projector(self) -> list[str]:
        """A sentence for each number: what it is of the encoder's answer, and of the projector's; none without a projector."""
        known = {layer.name: layer for layer in self.layers}
        if "encoder" not in known or "projector" not in known:
            return []
        both = [(known["encoder"].number(metric), known["projector"].number(metric)) for metric in self.metrics]
        return [
            f"{MEANINGS[before.name].title}: {before.shown()} before the projector, {after.shown()} after it."
            for before, after in both
            if before is not None and after is not None and not before.why and not after.why
        ]

    @property
    def notes(self) -> list[str]:
        """Why what is missing is missing, each reason once, and of which layers."""
        reasons: dict[str, dict[str, None]] = {}
        for layer in self.layers:
            for n in layer.numbers:
                for reason in filter(None, (n.why, *n.protocol.get("notes", []))):
                    reasons.setdefault(f"{MEANINGS[n.name].title}: {reason}", {})[layer.name] = None
        return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        layers = [{"name": x.name, "width": x.width, "numbers": [n.as_dict() for n in x.numbers]} for x in self.layers]
        return {"layers": layers, "samples": self.samples, "projector": self.projector, "notes": self.notes}

    def __str__(self) -> str:
        rows = [["layer", "width", *(MEANINGS[metric].title for metric in self.metrics)]]
        for layer in self.layers:
            numbers = [layer.number(metric) for metric in self.metrics]
            rows.append([layer.name, str(layer.width), *("" if n is None else n.shown() for n in numbers)])
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        said = [*self.projector, *self.notes]
        return "\n".join([*lines, *([""] if said else []), *said])


def layer(
    name: str,
    features: Tensor,
    *,
    views: tuple[Tensor, Tensor] | None = None,
    train: Judged | None = None,
    test: Judged | None = None,
) -> Layer:
    """The numbers of one layer's answers n × d: those without labels of all n, kNN and linear probe of test by train.

    Xue et al. 2024 (Investigating the Benefits of Projection Head for Representation Learning) say that features weigh more
    and more unequally with depth: effective rank and the decay of the spectrum are what is seen of that without
    knowing the features.
    """
    plain = Judged(features)
    numbers = judge(plain, plain, views=views, only=FREE)
    if train is not None and test is not None:
        numbers = [n for n in judge(train, test, only=LABELLED) if n.name in LABELLED] + numbers
    return Layer(name, features.shape[1], numbers)


def stages(module: nn.Module, name: str) -> dict[str, nn.Module]:
    """The direct stages of a module by name, in the order of its children.

    A child that only holds others is opened: one that is never called (ModuleList, ModuleDict), an only child, and a row
    (Sequential) of blocks, which are modules with children. A row of plain layers is one stage, as a stem is.
    """
    children = dict(module.named_children())
    if len(children) == 1 and not isinstance(module, nn.ModuleList | nn.ModuleDict):
        (only, child), *_ = children.items()
        return stages(child, f"{name}.{only}") or {f"{name}.{only}": child}
    found: dict[str, nn.Module] = {}
    for own, child in children.items():
        whole = f"{name}.{own}"
        inside = list(child.children())
        row = isinstance(child, nn.Sequential) and inside and all(any(block.children()) for block in inside)
        if row or isinstance(child, nn.ModuleList | nn.ModuleDict):
            found |= {f"{whole}.{place}": block for place, block in child.named_children()}
        else:
            found[whole] = child
    return found


@contextmanager
def recorded(named: dict[str, nn.Module], last: bool = False) -> Iterator[dict[str, Tensor]]:
    """Within it, what the modules answer is kept by name in the order of their calls, pooled: n × d each.

    `last` says that maps have their channels last. Of a module that is called several times the last answer is kept; what
    answers with no tensor of rows is left out. The hooks go whatever happens.
    """
    kept: dict[str, Tensor] = {}

    def keep(name: str, answer: Any) -> None:
        if isinstance(answer, Tensor) and answer.ndim >= 2:
            kept.pop(name, None)
            kept[name] = pooled(answer, last)

    handles = []
    try:
        for name, module in named.items():
            handles.append(module.register_forward_hook(lambda _, __, answer, name=name: keep(name, answer)))
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def pooled(answer: Tensor, last: bool = False) -> Tensor:
    """One row per sample: n × d as it is, tokens n × t × d by their mean, maps n × d × … (or n × … × d, `last`) by theirs."""
    if answer.ndim == 2:
        return answer.detach().clone()  # what comes next may work in place
    places: Sequence[int] = (1,) if answer.ndim == 3 else range(1, answer.ndim - 1) if last else range(2, answer.ndim)
    return answer.detach().mean(tuple(places), dtype=torch.float32)
