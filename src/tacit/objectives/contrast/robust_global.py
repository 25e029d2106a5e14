"""Contrast against all samples there are, estimated by what each has met so far, at a temperature of its own."""

from typing import NamedTuple

import torch
from torch import Tensor

from tacit.errors import several
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, mine, size
from tacit.numerics.tiles import between


class RobustGlobal(NamedTuple):
    """What a batch says, beside the loss of each sample what its memory is moved by."""

    loss: Tensor  # scalar
    means: Tensor  # n: the mean over both views of the new estimates of E exp(s / τ) over negatives s
    slopes: Tensor  # n: of the robust loss by the temperature, less ρ


def robust_global(first: Tensor, second: Tensor, estimates: Tensor, temperatures: Tensor, share: float) -> RobustGlobal:
    """Away from negatives by weights exp(s / τ) / estimate, towards one's partner: n × d twice, n, n -> see `RobustGlobal`.

    Qiu et al. 2023 (arXiv:2305.11965), algorithm 1. `estimates` is what is remembered of E exp(s / τ), 0 where nothing is; an
    estimate is (1 − share) of it and `share` of the batch's mean over the 2(N − 1) views of other samples of all processes.
    Weights carry no gradient, so that the loss's gradient by likeness s is weight / 2(N − 1); its value is the sum of weighed
    likenesses less that of partners, added over both views and averaged over samples. Only a tile of likenesses is held.
    """
    with full_precision():
        first, second = unit(first), unit(second)
        n, half = len(first), len(first) * size()
        several(half)
        own, tau = torch.cat([first, second]), temperatures.repeat(2)
        family = mine(n, first.device)
        hidden = torch.stack([family, family + half], 1).repeat(2, 1)
        rows = own / tau[:, None]
        logs = between(rows, torch.cat([gather(first), gather(second)]), hidden)
        (pulled,) = torch.autograd.grad(logs.sum(), rows, retain_graph=True)  # the mean negative, by its weight
        met = (pulled * own.detach()).sum(1)
        now = logs.detach().exp() / (2 * half - 2)
        old = estimates.repeat(2)
        moved = torch.where(old > 0, (1 - share) * old + share * now, now)
        ratio = now / moved
        pushed = ratio * (met + tau * (logs - logs.detach()))  # the value of the one, the gradient of the other
        loss = (pushed - (first * second).sum(1).repeat(2)).sum() / n
        slopes = moved.log() - ratio * met / tau
        return RobustGlobal(loss, *(both.view(2, n).mean(0) for both in (moved, slopes)))
