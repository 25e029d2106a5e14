"""The contrast of all nodes of a graph in two views, whose likenesses are never held all at once."""

from typing import Any

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather

TILE = 512  # rows of likenesses held together


def node_contrast(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Each node must find itself in the other view among all others of both views: two n × d -> scalar.

    Zhu et al. 2020 (arXiv:2006.04131), equations 1 and 2. It is `nt_xent` in value and gradient, in memory of TILE × 2n
    instead of 2n × 2n. Every process computes the whole.
    """
    with full_precision():
        return _Contrast.apply(torch.cat([gather(unit(first)), gather(unit(second))]), temperature)


class _Contrast(torch.autograd.Function):
    """Rows z of length one, S = z zᵀ / τ without its diagonal, l its log-sum-exp by rows: mean of l − S at the partners.

    S is symmetric, so the gradient by z_i is the sum over j of (exp(S_ij − l_i) + exp(S_ij − l_j)) z_j, less twice the partner,
    over τ and the number of rows.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, temperature: float) -> Tensor:
        total = torch.cat([_likeness(z, at, temperature).logsumexp(1) for at in range(0, len(z), TILE)])
        ctx.save_for_backward(z, total)
        ctx.temperature = temperature
        return (total - (z * _partners(z)).sum(1) / temperature).mean()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        z, total = ctx.saved_tensors
        gradient = torch.empty_like(z)
        for at in range(0, len(z), TILE):
            likeness = _likeness(z, at, ctx.temperature)
            share = (likeness - total[at : at + TILE, None]).exp_()
            gradient[at : at + TILE] = share.add_((likeness - total).exp_()) @ z
        return slope * (gradient - 2 * _partners(z)) / (ctx.temperature * len(z)), None


def _likeness(z: Tensor, at: int, temperature: float) -> Tensor:
    """A tile of S, −∞ where a row meets itself."""
    rows = (z[at : at + TILE] @ z.T).div_(temperature)
    rows.diagonal(at).fill_(float("-inf"))
    return rows


def _partners(z: Tensor) -> Tensor:
    return z.roll(len(z) // 2, 0)
