"""Full precision where it matters: losses are computed in float32 whatever the encoder ran in."""

from contextlib import ExitStack

import torch
from torch import Tensor


def full_precision() -> ExitStack:
    """A context in which autocast is off on every device; cast inputs with `.float()` inside it."""
    stack = ExitStack()
    for device in ("cpu", "cuda"):
        if torch.is_autocast_enabled(device):
            stack.enter_context(torch.autocast(device, enabled=False))
    return stack


def unit(x: Tensor) -> Tensor:
    """Rows of length one, in float32: … × d."""
    return torch.nn.functional.normalize(x.float(), dim=-1)
