"""Contrast in which the positive pair is not among what it is compared with."""

import math

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank


def dcl(first: Tensor, second: Tensor, temperature: float, sigma: float = math.inf) -> Tensor:
    """Closer to one's partner, farther from all the others, the two apart: two n × d -> scalar, which may be negative.

    Yeh et al. 2021 (arXiv:2110.06848), equation 6, averaged over the 2N views of all processes; a view's negatives are the
    2(N − 1) views of other samples. With a finite `sigma` a pair weighs 2 − N · softmax(similarity / sigma) over the pairs of
    all processes, so that far partners pull harder (equation 7, DCLW); the weights carry no gradient.
    """
    with full_precision():
        first, second = unit(first), unit(second)
        everyone = torch.cat([gather(first), gather(second)])
        n, half = len(first), len(everyone) // 2
        mine = torch.arange(n, device=first.device) + rank() * n
        likeness = torch.cat([first, second]) @ everyone.T / temperature
        own = torch.stack([mine, mine + half], 1).repeat(2, 1)  # oneself and one's partner
        negatives = likeness.scatter(1, own, float("-inf")).logsumexp(1)
        positive = (first * second).sum(1)
        every = gather(positive.detach()) / sigma
        weight = 2 - half * torch.softmax(every, 0)[mine]
        return negatives.mean() - (weight * positive).mean() / temperature
