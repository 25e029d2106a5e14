"""Sums over all pairs of rows of what `tiles` has no slope for: a few rows at a time, and again for the gradient."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

CELLS = 1 << 20  # that are held at once


def summed(of: Callable[..., Tensor], *rows: Tensor, width: int) -> Tensor:
    """The sum over all rows of what `of` says of some, with its gradient: n × … each -> the shape of `of`'s answer.

    `of` is given as many rows of each as make CELLS numbers where one row makes `width`, adds up over them, and draws nothing.
    """
    few = max(1, CELLS // width)
    if len(rows[0]) <= few:
        return of(*rows)
    parts = zip(*(each.split(few) for each in rows))
    return torch.stack([checkpoint(of, *some, use_reentrant=False, preserve_rng_state=False) for some in parts]).sum(0)
