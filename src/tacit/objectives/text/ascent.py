"""Noise that climbs a contrastive loss: negatives where the space is empty."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.tiles import PLAIN, between


def ascended(noise: Tensor, first: Tensor, second: Tensor, temperature: float, steps: int, stride: float) -> Tensor:
    """Noise m × d after so many steps of `stride` along the direction of its gradient, row by row: m × d, without gradient.

    The loss is the cross-entropy with which each row of first, N × d, finds its row of second among these and the noise, by
    cosine (Zhou et al. 2022, arXiv:2205.00656). A row without gradient stays. What a row of first finds of second is summed
    once, and of many products only a tile is held.
    """
    with full_precision(), torch.enable_grad():
        rows, second = unit(first.detach()) / temperature, unit(second.detach())
        among = _sums(rows, second, 1 / temperature)
        for _ in range(steps if len(noise) else 0):
            noise = noise.detach().float().requires_grad_()
            loss = torch.logaddexp(among, _sums(rows, unit(noise), 1 / temperature)).mean()
            noise = noise + stride * normalize(torch.autograd.grad(loss, noise)[0], dim=1)
        return noise.detach()


def _sums(rows: Tensor, others: Tensor, bound: float) -> Tensor:
    """log Σ_j exp(row_i · other_j): -> one for each row."""
    return between(rows, others, bound=bound) if len(rows) * len(others) > PLAIN**2 else (rows @ others.T).logsumexp(1)
