"""A training that has left the numbers is stopped before anything of it is saved."""

import math
from collections.abc import Mapping

import torch

from tacit.errors import TacitError
from tacit.method import Method
from tacit.numerics.processes import norms


def check(terms: Mapping[str, float], method: Method, step: int) -> None:
    """Refuse terms of the loss, or weights, that are infinite or no numbers."""
    wrong = [
        f"{name} became {value}"
        for name, value in sorted(terms.items(), key=lambda term: term[0] != "loss")
        if not math.isfinite(value)
    ]
    sizes = norms([p.detach() for p in method.parameters() if p.is_floating_point()])
    if not wrong and sizes and not bool(torch.stack(sizes).isfinite().all()):
        wrong = ["weights became infinite or no numbers"]
    if wrong:
        raise TacitError(f"The {wrong[0]} at step {step}; give a lower --lr or --clip 1: the last save is whole.")
