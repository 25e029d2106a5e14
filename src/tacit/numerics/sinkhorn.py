"""Soft assignments that use every cluster equally."""

import torch
from torch import Tensor

from tacit.numerics.processes import gather, total


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int = 3) -> Tensor:
    """Scores n × k -> codes n × k whose rows sum to 1 and whose columns hold about equally much, over all processes.

    Sinkhorn-Knopp on exp(scores / epsilon) (Cuturi 2013; Caron et al. 2020, arXiv:2006.09882, equation 3): in turns each
    column is made to sum to 1/k and each row to 1/n. Computed on logarithms, so that no score overflows.
    """
    codes = scores.float() / epsilon
    for _ in range(iterations):
        codes = codes - _column_sums(codes)
        codes = codes - codes.logsumexp(1, keepdim=True)
    return codes.exp()


def _column_sums(codes: Tensor) -> Tensor:
    """log Σ exp over the rows of all processes: k."""
    peak = gather(codes.amax(0, keepdim=True)).amax(0)
    return total((codes - peak).exp().sum(0)).log() + peak
