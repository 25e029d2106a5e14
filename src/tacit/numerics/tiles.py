"""Log-sum-exp over all pairs of rows, of which only tiles are ever held: what contrastive losses are made of.

Values and gradients are exact. Products are taken in a type of choice, sums in float32 (float64 for rows in that), and memory
is that of the rows and of a tile for each thread. What is asked for twice, such as the gradient's gradient, is not to be had.

Tiles come in rounds, in which no two share rows: as many of a round as there are threads are worked on at once, each on one
thread and in its cache, and what they are added to is the same in any order. On a CPU exponentials and sums are one pass.
"""

import math
import threading
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tacit.numerics.tiling.sums import Sums, add_up, pull_by
from tacit.numerics.tiling.threads import workers

PLAIN = 1024  # rows up to which losses hold all products at once, which is no slower there
TILE = 384  # rows and columns of a tile of float32: one stays in a core's cache; of 512, rows would fall on one another there
ROUGH = 20.0  # bound up to which products may be taken in less than float32, as of cosines at a temperature of 0.05
Round = list[tuple[slice, slice]]  # tiles: their rows and their columns


def within(x: Tensor, hidden: Tensor, bound: float = math.inf, kind: torch.dtype | None = None) -> Tensor:
    """log Σ_j exp(x_i · x_j) of each row over those that are not hidden from it: n × d -> n.

    hidden  int64, n × h: the rows left out of each row's sum, itself if it is to be; i from j whenever j from i
    bound   no product is larger than this, to either side; one exponential is taken instead of two where it is at most 60
    kind    what products are taken in, if not the type of x; where the bound is above 20, float32 if it is less

    The products are symmetric, so half of them are computed.
    """
    return _Within.apply(x, hidden, bound, tile_kind(kind or x.dtype, bound))


def between(
    x: Tensor, y: Tensor, hidden: Tensor | None = None, bound: float = math.inf, kind: torch.dtype | None = None
) -> Tensor:
    """log Σ_j exp(x_i · y_j) of each row of x over the rows of y: n × d, m × d -> n; `hidden` is int64, n × h, as above."""
    return _Between.apply(x, y, nothing(x) if hidden is None else hidden, bound, tile_kind(kind or x.dtype, bound), False)[0]


def across(
    x: Tensor, y: Tensor, bound: float = math.inf, hidden: Tensor | None = None, kind: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """The same of each row of x over y and of each row of y over x, by the same products: n × d, m × d -> n, m."""
    return _Between.apply(x, y, nothing(x) if hidden is None else hidden, bound, tile_kind(kind or x.dtype, bound), True)


class _Within(torch.autograd.Function):
    """With l the sums' logarithms and g the slope by them, the slope by S = x xᵀ is g_i exp(S − l_i) + g_j exp(S − l_j)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, hidden: Tensor, bound: float, kind: torch.dtype) -> Tensor:
        low, sums = x.detach().to(kind), Sums.of_nothing(x, len(x), bound)
        products = _Products(low, low, hidden)

        def add(rows: slice, columns: slice) -> None:
            add_up(products(rows, columns), sums.of(rows), sums.of(columns if rows != columns else slice(0)), bound)

        _work(_halves(len(x), products.width), add, x.device)
        total = sums.logarithms()
        ctx.save_for_backward(low, hidden, total)
        ctx.bound = bound
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None, None]:
        low, hidden, total = ctx.saved_tensors
        products, gradient = _Products(low, low, hidden), torch.zeros_like(low, dtype=total.dtype)

        def pull(rows: slice, columns: slice) -> None:
            tile = pull_by(products(rows, columns), total[rows], total[columns], slope[rows], slope[columns], ctx.bound)
            _add_product(gradient[rows], tile, low[columns])
            if rows != columns:
                _add_product(gradient[columns], tile.T, low[rows])

        _work(_halves(len(low), products.width), pull, low.device)
        return gradient, None, None, None


class _Between(torch.autograd.Function):
    """As `_Within`, of two sets: S = x yᵀ, with sums over rows and, where they are asked for, over columns."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, hidden: Tensor, bound: float, kind: torch.dtype, both: bool
    ) -> tuple[Tensor, Tensor]:
        low_x, low_y = x.detach().to(kind), y.detach().to(kind)
        of_x, of_y = Sums.of_nothing(x, len(x), bound), Sums.of_nothing(y, len(y) if both else 0, bound)
        add_all(low_x, low_y, hidden, bound, of_x, of_y)
        totals = of_x.logarithms(), of_y.logarithms()
        ctx.save_for_backward(low_x, low_y, hidden, *totals)
        ctx.bound = bound
        return totals

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_x: Tensor, by_y: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None, None]:
        x, y, hidden, of_x, of_y = ctx.saved_tensors
        slope_x, slope_y = (  # a queue wants none
            torch.zeros_like(side, dtype=of_x.dtype) if wanted else None for side, wanted in zip((x, y), ctx.needs_input_grad)
        )
        pull_all(x, y, hidden, ctx.bound, (of_x, of_y), (by_x, by_y), slope_x, slope_y)
        return slope_x, slope_y, None, None, None, None


def add_all(x: Tensor, y: Tensor, hidden: Tensor, bound: float, of_x: Sums, of_y: Sums) -> None:
    """The exponentials of all products to the sums of rows, and to those of columns where there are any."""
    products = _Products(x, y, hidden, _height(x))

    def add(rows: slice, columns: slice) -> None:
        add_up(products(rows, columns), of_x.of(rows), of_y.of(columns), bound)

    _work(_all(len(x), len(y), products.height, products.width), add, x.device)


def pull_all(
    x: Tensor,
    y: Tensor,
    hidden: Tensor,
    bound: float,
    of: tuple[Tensor, Tensor],
    by: tuple[Tensor, Tensor],
    slope_x: Tensor | None,
    slope_y: Tensor | None,
) -> None:
    """The slopes by x and y to what is there, from logarithms of sums over rows and columns and the slopes by them."""
    products = _Products(x, y, hidden, _height(x))

    def pull(rows: slice, columns: slice) -> None:
        tile = pull_by(products(rows, columns), of[0][rows], of[1][columns], by[0][rows], by[1][columns], bound)
        if slope_x is not None:
            _add_product(slope_x[rows], tile, y[columns])
        if slope_y is not None:
            _add_product(slope_y[columns], tile.T, x[rows])

    _work(_all(len(x), len(y), products.height, products.width), pull, x.device)


class _Products:
    """Tiles of x yᵀ, −∞ where a row of y is hidden, each in memory that its thread's next one overwrites."""

    def __init__(self, x: Tensor, y: Tensor, hidden: Tensor, height: int | None = None):
        self.x, self.y, self.hidden, self.width = x, y, hidden, _width(x)
        self.height = height or self.width
        self.room = _Room(min(self.height, len(x)) * min(self.width, len(y)), x)
        self.touched: set[tuple[int, int]] = set()  # tiles in which a row is hidden, by where they begin
        if hidden.shape[1]:  # asked of the device, which waits
            firsts = torch.arange(len(x), device=x.device)[:, None] // self.height * self.height
            where = (firsts * len(y) + hidden // self.width * self.width).unique().tolist()
            self.touched = {divmod(place, len(y)) for place in where}

    def __call__(self, rows: slice, columns: slice) -> Tensor:
        x, y = self.x[rows], self.y[columns]
        tile = torch.mm(x, y.T, out=self.room.memory[: len(x) * len(y)].view(len(x), len(y)))
        if (rows.start, columns.start) in self.touched:
            for who in self.hidden[rows].unbind(1):
                place = (who - columns.start)[:, None]
                inside = (place >= 0) & (place < len(y))
                place = place.clamp(0, len(y) - 1)
                tile.scatter_(1, place, torch.where(inside, float("-inf"), tile.gather(1, place)))
        return tile


class _Room(threading.local):
    """Memory of every thread's own: pages that are met for the first time cost more than what is done with them."""

    def __init__(self, count: int, like: Tensor):
        self.memory = torch.empty(count, dtype=like.dtype, device=like.device)


def _add_product(to: Tensor, tile: Tensor, rows: Tensor) -> None:
    if to.dtype == tile.dtype:
        to.addmm_(tile, rows)
    else:
        to.add_(tile @ rows)


def _work(rounds: Iterable[Round], one: Callable[[slice, slice], None], device: torch.device) -> None:
    """`one` of all tiles, round by round."""

    with workers(device) as each:
        for tiles in rounds:
            each(lambda tile: one(*tile), tiles)


def _halves(n: int, side: int) -> Iterable[Round]:
    """Tiles on and above the diagonal."""
    blocks = _cut(n, side)
    for turn in range(len(blocks)):
        pairs = ((i, (turn - i) % len(blocks)) for i in range(len(blocks)))
        yield [(blocks[i], blocks[j]) for i, j in pairs if i <= j]


def _all(n: int, m: int, height: int, width: int) -> Iterable[Round]:
    rows, columns = _cut(n, height), _cut(m, width)
    longer = max(len(rows), len(columns))
    for turn in range(longer):
        pairs = ((i, (i + turn) % longer) for i in range(longer))
        yield [(rows[i], columns[j]) for i, j in pairs if i < len(rows) and j < len(columns)]


def _width(x: Tensor) -> int:
    """Columns of a tile: more of what takes less memory."""
    return TILE * 3 // 2 if x.dtype == torch.bfloat16 else TILE


def _height(x: Tensor) -> int:
    """Rows of a tile of two sets: less where there are so few that threads would have nothing to do."""
    return min(_width(x), max(-(-len(x) // (2 * torch.get_num_threads())), 1)) if x.device.type == "cpu" else _width(x)


def _cut(n: int, step: int) -> list[slice]:
    return [slice(at, min(at + step, n)) for at in range(0, n, step)]


def tile_kind(kind: torch.dtype, bound: float) -> torch.dtype:
    """Of bfloat16 a product of 20 is off by 0.06, and its exponential by as much of itself."""
    return kind if bound <= ROUGH else torch.promote_types(kind, torch.float32)


def nothing(x: Tensor) -> Tensor:
    return torch.empty(len(x), 0, dtype=torch.int64, device=x.device)
