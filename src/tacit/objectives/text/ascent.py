"""Noise that climbs a contrastive loss: negatives where the space is empty."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from tacit.numerics.exact import full_precision, unit


def ascended(noise: Tensor, first: Tensor, second: Tensor, temperature: float, steps: int, stride: float) -> Tensor:
    """Noise m × d after so many steps of `stride` along the direction of its gradient, row by row: m × d, without gradient.

    The loss is the cross-entropy with which each row of first, N × d, finds its row of second among these and the noise, by
    cosine (Zhou et al. 2022, arXiv:2205.00656). A row without gradient stays.
    """
    with full_precision(), torch.enable_grad():
        first, second = unit(first.detach()), unit(second.detach())
        among, own = first @ second.T, torch.arange(len(first), device=first.device)
        for _ in range(steps if len(noise) else 0):
            noise = noise.detach().float().requires_grad_()
            loss = cross_entropy(torch.cat([among, first @ unit(noise).T], 1) / temperature, own)
            noise = noise + stride * normalize(torch.autograd.grad(loss, noise)[0], dim=1)
        return noise.detach()
