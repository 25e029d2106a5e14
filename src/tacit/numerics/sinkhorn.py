"""Soft assignments that use every cluster equally."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, total
from tacit.numerics.tiling.sums import exponentials
from tacit.numerics.tiling.threads import workers

CELLS = 1 << 19  # of some rows, which stay in the cache from one look at them to the next; of fewer, threads wait for turns
DEEPEST = -70.0  # down to which exponentials, and what divides by their sums, are float32


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int = 3, out: Tensor | None = None) -> Tensor:
    """Scores n × k -> codes n × k in float32, of which every row sums to 1 and no column holds more than another.

    Sinkhorn-Knopp on exp(scores / epsilon) (Cuturi 2013, arXiv:1306.0895; Caron et al. 2020, arXiv:2006.09882, equation 3)
    over the rows of all processes, of which each may bring another number: in turns columns and rows are scaled to equal
    sums, rows last, so that columns are equal up to what so few iterations leave. No score is too large and no column too far
    below the others.

    Exponentials are taken once, below the peak of their column, so that each column has a 1. What changes is how columns and
    rows are scaled (Cuturi's u and v), and a turn is one look at the rows. Where exponentials would vanish, turns are taken
    on logarithms.

    `out`, contiguous and float32, is written into: of a large table on a CPU most of the time goes into fresh pages otherwise.
    """
    with full_precision():
        scores = scores.float()
        codes = torch.empty_like(scores, memory_format=torch.contiguous_format) if out is None else out
        some = max(1, CELLS // scores.shape[1]) if scores.device.type == "cpu" else len(scores)
        pieces = [slice(at, at + some) for at in range(0, len(scores), some)]
        with workers(scores.device) as each:
            found = torch.stack(each(lambda rows: _extremes(scores[rows]), pieces)).amax(0, keepdim=True)
            peaks, lowest = gather(found).amax(0).tensor_split([-1])
            if not iterations or float(-lowest - peaks.amax()) / epsilon < DEEPEST:
                return codes.copy_(_on_logarithms(scores / epsilon, iterations))
            columns = _scale(each(lambda rows: _raised(scores[rows], peaks, epsilon, codes[rows]), pieces))
            for _ in range(iterations - 1):
                columns = _scale(each(lambda rows: (1 / (codes[rows] @ columns)) @ codes[rows], pieces))  # noqa: B023
            each(lambda rows: _scaled(codes[rows], columns), pieces)
            return codes


def _extremes(scores: Tensor) -> Tensor:
    """The largest of each column, and the smallest of all with its sign turned."""
    return torch.cat([scores.amax(0), -scores.amin()[None]])


def _raised(scores: Tensor, peaks: Tensor, epsilon: float, codes: Tensor) -> Tensor:
    """Exponentials of scores below their column's peak, and their sums."""
    return exponentials(torch.sub(scores, peaks, out=codes).div_(epsilon)).sum(0)


def _scaled(codes: Tensor, columns: Tensor) -> None:
    codes.mul_(columns).div_(codes.sum(1, keepdim=True))


def _scale(sums: list[Tensor]) -> Tensor:
    """Of the columns, by their sums in all pieces and processes; 1 the largest, since rows undo what all have in common."""
    sum_of_all = total(torch.stack(sums).sum(0))
    return sum_of_all.amin() / sum_of_all


def _on_logarithms(codes: Tensor, iterations: int) -> Tensor:
    for _ in range(iterations):
        codes = (codes - _column_sums(codes)).log_softmax(1)
    return codes.softmax(1)


def _column_sums(logarithms: Tensor) -> Tensor:
    """log Σ exp over the rows of all processes: n × k -> k."""
    peak = gather(logarithms.amax(0, keepdim=True)).amax(0)
    return total((logarithms - peak).exp().sum(0)).log() + peak


@torch.no_grad()
def equal_labels(scores: Tensor, epsilon: float, tolerance: float, most: int = 10_000) -> Tensor:
    """Scores N × k of all samples -> the label of each, int64, N, such that labels are used about equally often.

    The largest entry of each row of exp(scores / epsilon), scaled by Sinkhorn-Knopp until the rows' scales change by less
    than `tolerance` in all, looked at every tenth turn, or for `most` turns (Asano et al. 2020, arXiv:1911.05371, equations 5
    and 6 and their code). In float64, on one process, with N × k numbers held; a row's largest score may be as small as it
    likes, since rows are scaled anyway.
    """
    plan = scores.double() / epsilon
    plan = plan.sub_(plan.amax(1, keepdim=True))
    plan = plan.sub_(plan.amax(0)).exp_()  # neither a row nor a column of zeros, which no scale could mend
    n, k = plan.shape
    rows, columns = plan.new_full((n,), 1 / n), plan.new_full((k,), 1 / k)
    for turn in range(most):
        columns = (1 / k) / (rows @ plan)
        scaled = (1 / n) / (plan @ columns)
        settled = turn % 10 == 0 and float((rows / scaled - 1).abs().sum()) < tolerance
        rows = scaled
        if settled:
            break
    return (plan * columns).argmax(1)


def doubly_stochastic(scores: Tensor, epsilon: float, half_turns: int = 5) -> Tensor:
    """Scores n × n -> float32, n × n, of which rows sum to 1 and columns nearly do; with gradient.

    Sinkhorn-Knopp on exp(scores / epsilon), rows and columns in turns, rows first, on logarithms. How columns are scaled is
    taken as given by the gradient, as Chu et al. 2024 (arXiv:2306.05272) do in their code.
    """
    if half_turns < 1:
        raise ValueError(f"half_turns is {half_turns}; rows are scaled at least once")
    with full_precision():
        scores = scores.float() / epsilon
        rows, columns = scores.new_zeros(len(scores), 1), scores.new_zeros(1, len(scores))
        for turn in range(half_turns):
            if turn % 2 == 0:
                rows = -(scores + columns).logsumexp(1, keepdim=True)
            else:
                columns = -(scores + rows).logsumexp(0, keepdim=True).detach()
        return (scores + rows + columns).exp()
