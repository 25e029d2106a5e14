"""Log-sum-exp over all pairs of rows, of which only a tile is ever held: what contrastive losses are made of.

Values and gradients are exact. Products are taken in the type of the rows, sums in float32 (float64 for rows in that), and
memory is that of the rows and of a tile. What is asked for twice, such as the gradient's gradient, is not to be had.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tacit.numerics.processes import size

PLAIN = 1024  # rows up to which losses hold all products at once, which is no slower there
TILE = 512  # rows and columns of a tile: one of float32 stays in a core's cache
SAFE = 60.0  # up to which exponentials of products can be added up as they are: e^60 times a thousand million is a float32


def among_views(views: Tensor, everyone: Tensor, hidden: Tensor, temperature: float, kind: torch.dtype) -> Tensor:
    """log Σ_j exp(s_ij / τ) of each view of this process over the views of all that are not hidden from it: -> n.

    Rows of length one; products are taken in `kind`. In one process `everyone` is `views`.
    """
    rows = (views * temperature**-0.5).to(kind)
    if size() == 1:
        return within(rows, hidden, 1 / temperature)
    return between(rows, (everyone * temperature**-0.5).to(kind), hidden, 1 / temperature)


def within(x: Tensor, hidden: Tensor, bound: float = math.inf) -> Tensor:
    """log Σ_j exp(x_i · x_j) of each row over those that are not hidden from it: n × d -> n.

    hidden  int64, n × h: the rows left out of each row's sum, itself if it is to be; i from j whenever j from i
    bound   no product is larger than this, to either side; one exponential is taken instead of two where it is at most 60

    The products are symmetric, so half of them are computed.
    """
    return _Within.apply(x, hidden, bound)


def between(x: Tensor, y: Tensor, hidden: Tensor | None = None, bound: float = math.inf) -> Tensor:
    """log Σ_j exp(x_i · y_j) of each row of x over the rows of y: n × d, m × d -> n; `hidden` is int64, n × h, as above."""
    return _Between.apply(x, y, _nothing(x) if hidden is None else hidden, bound, False)[0]


def across(x: Tensor, y: Tensor, bound: float = math.inf) -> tuple[Tensor, Tensor]:
    """The same of each row of x over y and of each row of y over x, by the same products: n × d, m × d -> n, m."""
    return _Between.apply(x, y, _nothing(x), bound, True)


class _Within(torch.autograd.Function):
    """With l the sums' logarithms and g the slope by them, the slope by S = x xᵀ is g_i exp(S − l_i) + g_j exp(S − l_j)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, hidden: Tensor, bound: float) -> Tensor:
        total = _start(x, len(x))
        for rows, columns in _upper(len(x)):
            of_rows, of_columns = _totals(_products(x, x, hidden, rows, columns), bound)
            total[rows] = torch.logaddexp(total[rows], of_rows)
            if rows != columns:
                total[columns] = torch.logaddexp(total[columns], of_columns)
        ctx.save_for_backward(x, hidden, total)
        ctx.bound = bound
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        x, hidden, total = ctx.saved_tensors
        gradient = torch.zeros_like(x, dtype=total.dtype)
        for rows, columns in _upper(len(x)):
            tile = _products(x, x, hidden, rows, columns)
            pull = _pull(tile, total[rows], total[columns], slope[rows], slope[columns], ctx.bound).to(x.dtype)
            gradient[rows] += pull @ x[columns]
            if rows != columns:
                gradient[columns] += pull.T @ x[rows]
        return gradient.to(x.dtype), None, None


class _Between(torch.autograd.Function):
    """As `_Within`, of two sets: S = x yᵀ, with sums over rows and, where they are asked for, over columns."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, hidden: Tensor, bound: float, both: bool) -> tuple[Tensor, Tensor]:
        of_x, of_y = _start(x, len(x)), _start(y, len(y) if both else 0)
        for rows in _cut(len(x)):
            for columns in _cut(len(y)):
                of_rows, of_columns = _totals(_products(x, y, hidden, rows, columns), bound, both)
                of_x[rows] = torch.logaddexp(of_x[rows], of_rows)
                if both:
                    of_y[columns] = torch.logaddexp(of_y[columns], of_columns)
        ctx.save_for_backward(x, y, hidden, of_x, of_y)
        ctx.bound, ctx.both = bound, both
        return of_x, of_y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_x: Tensor, by_y: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        x, y, hidden, of_x, of_y = ctx.saved_tensors
        slopes = torch.zeros_like(x, dtype=of_x.dtype), torch.zeros_like(y, dtype=of_x.dtype)
        for rows in _cut(len(x)):
            for columns in _cut(len(y)):
                tile = _products(x, y, hidden, rows, columns)
                pull = _pull(tile, of_x[rows], of_y[columns], by_x[rows], by_y[columns], ctx.bound).to(x.dtype)
                slopes[0][rows] += pull @ y[columns]
                if ctx.needs_input_grad[1]:  # a queue wants none
                    slopes[1][columns] += pull.T @ x[rows]
        return slopes[0].to(x.dtype), slopes[1].to(y.dtype), None, None, None


def _products(x: Tensor, y: Tensor, hidden: Tensor, rows: slice, columns: slice) -> Tensor:
    """A tile of x yᵀ, −∞ where a row of y is hidden."""
    tile = x[rows] @ y[columns].T
    tile = tile if tile.dtype == torch.float64 else tile.float()
    for who in hidden[rows].unbind(1):
        place = (who - columns.start)[:, None]
        inside = (place >= 0) & (place < tile.shape[1])
        place = place.clamp(0, tile.shape[1] - 1)
        tile.scatter_(1, place, torch.where(inside, float("-inf"), tile.gather(1, place)))
    return tile


def _totals(tile: Tensor, bound: float, both: bool = True) -> tuple[Tensor, Tensor]:
    """Log-sum-exp of the rows and of the columns of a tile, which is used up."""
    if bound <= SAFE:
        tile.exp_()
        return tile.sum(1).log_(), tile.sum(0).log_() if both else tile[0]
    return tile.logsumexp(1), tile.logsumexp(0) if both else tile[0]


def _pull(tile: Tensor, of_rows: Tensor, of_columns: Tensor, by_rows: Tensor, by_columns: Tensor, bound: float) -> Tensor:
    """The slope by a tile of products, which is used up; columns count where there are sums of them."""
    if bound <= SAFE:
        weight = (by_rows * (-of_rows).exp())[:, None]
        return tile.exp_().mul_(weight + by_columns * (-of_columns).exp() if len(of_columns) else weight)
    pull = (tile - of_rows[:, None]).exp_().mul_(by_rows[:, None])
    return pull.add_(tile.sub_(of_columns).exp_().mul_(by_columns)) if len(of_columns) else pull


def _start(x: Tensor, n: int) -> Tensor:
    return torch.full((n,), float("-inf"), device=x.device, dtype=torch.float64 if x.dtype == torch.float64 else torch.float32)


def _nothing(x: Tensor) -> Tensor:
    return torch.empty(len(x), 0, dtype=torch.int64, device=x.device)


def _cut(n: int) -> Iterator[slice]:
    return (slice(at, min(at + TILE, n)) for at in range(0, n, TILE))


def _upper(n: int) -> Iterator[tuple[slice, slice]]:
    """Tiles on and above the diagonal."""
    return ((rows, columns) for rows in _cut(n) for columns in _cut(n) if columns.start >= rows.start)
