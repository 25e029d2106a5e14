"""All views keep apart but for the two of one sample."""

import math

import torch
from torch import Tensor

from tacit.errors import several
from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, mine, size
from tacit.numerics.tiles import between


def spread_pairs(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """log of the mean of exp(cosine / temperature) over all pairs of views of two samples: n × d twice -> scalar.

    Poulakakis-Daktylidis & Jamali-Rad 2024 (arXiv:2402.02444), the second term of equation 4. Over the samples of all
    processes; of the products only a tile is held.
    """
    with full_precision():
        first, second = unit(first), unit(second)
        n, half = len(first), len(first) * size()
        several(half)
        family = mine(n, first.device)
        hidden = torch.stack([family, family + half], 1).repeat(2, 1)
        everyone = torch.cat([gather(first), gather(second)])
        near = between(torch.cat([first, second]) / temperature, everyone, hidden, 1 / temperature)
        return gather(near).logsumexp(0) - math.log(2 * half * (2 * half - 2))
