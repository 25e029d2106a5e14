"""A look finds the other one of its sample among the batch and further negatives, some of the batch left out."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, mine


def extra_negatives(first: Tensor, second: Tensor, others: Tensor, counts: Tensor, temperature: float) -> Tensor:
    """The cross-entropy of cosines with which first i finds second i: n × d, n × d, m × d, bool n × N -> scalar.

    others  negatives of every row, of all processes
    counts  which of the N samples of all processes are negatives of which row; what it says of a row's own is not asked

    Zhou et al. 2022 (arXiv:2205.00656), where what does not count is not in the denominator; with all counted, Deng
    et al. 2023 (arXiv:2305.09892). Gradient reaches whatever asks for it.
    """
    with full_precision():
        first, everyone = unit(first), gather(unit(second))
        own = mine(len(first), first.device)
        left_out = ~counts.scatter(1, own[:, None], True)
        among = (first @ everyone.T).masked_fill(left_out, -torch.inf)
        return cross_entropy(torch.cat([among, first @ unit(others).T], 1) / temperature, own)
