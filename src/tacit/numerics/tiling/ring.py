"""Log-sum-exp over the rows of all processes, of which each holds its own and the one set that is passing by.

Rows go round: each process works on a set while it is sent on, so that after as many turns as there are processes everybody
has seen everything and nobody has held it. On the way back sets go round once more, with the slopes by them, which everybody
adds to and which are home at the end: by Liu et al. 2023 (Ring Attention, arXiv:2310.01889) for attention, and by Cheng et al.
2024 (Inf-CL, arXiv:2410.17243) for contrast.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tacit.numerics.processes import gather, pass_on, rank, size
from tacit.numerics.tiles import add_all, between, nothing, pull_all, tile_kind, within
from tacit.numerics.tiling.sums import Sums

GATHERED = 1 << 28  # numbers, a gigabyte of float32 and as much of slopes: two million views of 128 dimensions


def among_views(views: Tensor, hidden: Tensor, temperature: float, kind: torch.dtype) -> Tensor:
    """log Σ_j exp(s_ij / τ) of each view of this process over the views of all that are not hidden from it: -> n.

    Rows of length one; products are taken in `kind`. hidden: int64, n × h, places among this process's own views; i from j
    whenever j from i. Up to GATHERED numbers every process holds everybody's, since that is one exchange and a ring is as
    many as there are processes.
    """
    rows = views * temperature**-0.5
    if size() == 1:
        return within(rows, hidden, 1 / temperature, kind)
    if rows.numel() * size() > GATHERED:
        return around(rows, rows, hidden, 1 / temperature, kind)
    return between(rows, gather(rows), hidden + rank() * len(rows), 1 / temperature, kind)


def around(x: Tensor, y: Tensor, hidden: Tensor, bound: float, kind: torch.dtype) -> Tensor:
    """log Σ_j exp(x_i · y_j) of each row of this process over the y of all: n × d, m × d -> n.

    Every process must bring equally many. `hidden`, int64, n × h, are places among this process's own y; bound and kind are
    those of `tiles.within`. Slopes by y are summed over processes, as those of `processes.gather` are.
    """
    return _Around.apply(x, y, hidden, bound, tile_kind(kind, bound))


class _Around(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, hidden: Tensor, bound: float, kind: torch.dtype) -> Tensor:
        low_x, low_y = x.detach().to(kind), y.detach().to(kind).contiguous()
        sums, none = Sums.of_nothing(x, len(x), bound), Sums.of_nothing(x, 0, bound)
        for passing, left_out in _turns(low_y, hidden):
            add_all(low_x, passing, left_out, bound, sums, none)
        total = sums.logarithms()
        ctx.save_for_backward(low_x, low_y, hidden, total)
        ctx.bound = bound
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        x, y, hidden, total = ctx.saved_tensors
        slope_x, slope_y = torch.zeros_like(x, dtype=total.dtype), torch.zeros_like(y, dtype=total.dtype)
        none = total.new_empty(0)
        for passing, left_out in _turns(y, hidden):
            pull_all(x, passing, left_out, ctx.bound, (total, none), (by, none), slope_x, slope_y)
            slope_y = pass_on(slope_y)()
        return slope_x, slope_y, None, None, None


def _turns(mine: Tensor, hidden: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The rows of this process, then those of the one before it, and so on, with what is hidden among them."""
    passing, left_out = mine, hidden
    for turn in range(1, size() + 1):
        received = pass_on(passing) if turn < size() else None  # while the caller works
        yield passing, left_out
        if received:
            passing, left_out = received(), nothing(hidden)
