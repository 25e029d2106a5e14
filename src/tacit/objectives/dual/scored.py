"""Each row of one side finds its own on the other by any score, of which no table of all pairs is kept."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tacit.numerics.tiles import PLAIN

Score = Callable[[Tensor, Tensor], Tensor]  # a × d, n × d -> a × n, larger is nearer


def scored(first: Tensor, second: Tensor, score: Score) -> tuple[Tensor, Tensor]:
    """Cross-entropy of row i choosing its own among all rows of the other side, in either direction: two n × d -> two scalars.

    `score` may be anything that can be differentiated, unlike in `numerics.tiles`; above PLAIN rows the scores of a few of them
    are computed at a time, and again for the gradient.
    """
    many = max(1, PLAIN**2 // max(len(first), 1))
    if len(first) <= PLAIN:
        return _entropies(*_sums(first, second, 0, score))
    found = [
        checkpoint(_sums, first[start : start + many], second, start, score, use_reentrant=False)
        for start in range(0, len(first), many)
    ]
    rows, columns, own = zip(*found)
    return _entropies(torch.cat(rows), torch.stack(columns).logsumexp(0), torch.cat(own))


def _sums(some: Tensor, everyone: Tensor, start: int, score: Score) -> tuple[Tensor, Tensor, Tensor]:
    """Of some rows from `start` on: log-sum-exp over each row, that over each column as far as these go, and the own scores."""
    near = score(some, everyone)
    return near.logsumexp(1), near.logsumexp(0), near.diagonal(start)


def _entropies(rows: Tensor, columns: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    return (rows - own).mean(), (columns - own).mean()
