"""Soft assignments that use every cluster equally."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, total


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int = 3) -> Tensor:
    """Scores n × k -> codes n × k in float32, of which every row sums to 1 and no column holds more than another.

    Sinkhorn-Knopp on exp(scores / epsilon) (Cuturi 2013, arXiv:1306.0895; Caron et al. 2020, arXiv:2006.09882, equation 3)
    over the rows of all processes, of which each may bring another number: in turns columns and rows are scaled to equal
    sums, rows last, so that columns are equal up to what so few iterations leave. Computed on logarithms, where no score
    is too large and no column too far below the others.
    """
    with full_precision():
        codes = scores.float() / epsilon
        for _ in range(iterations):
            codes = (codes - _column_sums(codes)).log_softmax(1)
        return codes.softmax(1)


def _column_sums(logarithms: Tensor) -> Tensor:
    """log Σ exp over the rows of all processes: n × k -> k."""
    peak = gather(logarithms.amax(0, keepdim=True)).amax(0)
    return total((logarithms - peak).exp().sum(0)).log() + peak
