"""Contrast in which the positive pair is not among what it is compared with."""

import math

import torch
from torch import Tensor

from tacit.errors import several
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank, size
from tacit.numerics.tiles import PLAIN
from tacit.numerics.tiling.ring import among_views


def dcl(first: Tensor, second: Tensor, temperature: float, sigma: float = math.inf) -> Tensor:
    """Closer to one's partner, farther from all the others, the two apart: two n × d -> scalar, which may be negative.

    Yeh et al. 2021 (arXiv:2110.06848), equation 6, averaged over the 2N views of all processes; a view's negatives are the
    2(N − 1) views of other samples. With a finite `sigma` (DCLW) a pair of similarity s weighs
    2 − exp(s / sigma) / mean(exp(s / sigma)), the mean over the pairs of all processes, so that far partners pull harder;
    the weights carry no gradient. An infinite one weighs every pair 1.
    """
    with full_precision():
        kind, first, second = first.dtype, unit(first), unit(second)
        n, half = len(first), len(first) * size()
        several(half)
        mine = torch.arange(n, device=first.device)
        if 2 * half > PLAIN:
            family = torch.stack([mine, mine + n], 1).repeat(2, 1)  # oneself and one's partner
            others = among_views(torch.cat([first, second]), family, temperature, kind)
        else:
            everyone = torch.cat([gather(first), gather(second)])
            family = torch.stack([mine, mine + half], 1).repeat(2, 1) + rank() * n
            likeness = torch.cat([first, second]) @ everyone.T / temperature
            others = likeness.scatter(1, family, float("-inf")).logsumexp(1)
        own = (first * second).sum(1)
        every = gather(own.detach())
        pull = ((every - every.max()) / sigma).exp()
        weight = 2 - half * pull[mine + rank() * n] / pull.sum()
        return others.mean() - (weight * own).mean() / temperature
