"""The normalised temperature-scaled cross-entropy between two views."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank, size
from tacit.numerics.tiles import PLAIN
from tacit.numerics.tiling.ring import among_views


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Each view must find its partner among all the others: two n × d -> scalar.

    Chen et al. 2020 (arXiv:2002.05709), equation 1, averaged over the 2N views of all processes as in the paper's
    algorithm 1. The official code adds the two directions and is twice this. Of many views only a tile of likenesses is held.
    """
    with full_precision():
        kind, first, second = first.dtype, unit(first), unit(second)
        n, half = len(first), len(first) * size()
        mine = torch.arange(n, device=first.device)
        if 2 * half > PLAIN:  # partners apart: of a small loss the difference of two large numbers leaves no digit
            family = torch.stack([mine, mine + n], 1).repeat(2, 1)
            others = among_views(torch.cat([first, second]), family, temperature, kind)
            return softplus(others - (first * second).sum(1).repeat(2) / temperature).mean()
        everyone = torch.cat([gather(first), gather(second)])
        myself = torch.cat([mine, mine + half]) + rank() * n
        likeness = torch.cat([first, second]) @ everyone.T / temperature
        likeness = likeness.scatter(1, myself[:, None], float("-inf"))  # nobody is its own partner
        return cross_entropy(likeness, (myself + half) % (2 * half))
