"""Two looks at the same things find each other, in both directions, with likenesses held a tile at a time."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather
from tacit.numerics.tiles import across


def paired_contrast(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Row i finds row i of the other side among all of that side, by cosine: two n × d -> scalar, the mean of both directions.

    InfoNCE (van den Oord et al. 2018, arXiv:1807.03748, equation 4) taken symmetrically, as InfoMGF takes it for a lower bound
    of mutual information. Every process computes the whole. It is the mean of `communal.crossed_nodes` in both directions at
    half of its products.
    """
    with full_precision():
        kind, mine, theirs = first.dtype, gather(unit(first)), gather(unit(second))
        scale, myself = temperature**-0.5, torch.arange(len(mine), device=mine.device)[:, None]
        others = torch.stack(across(mine * scale, theirs * scale, 1 / temperature, myself, kind))
        return softplus(others - (mine * theirs).sum(1) / temperature).mean()
