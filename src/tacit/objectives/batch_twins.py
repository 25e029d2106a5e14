"""A prediction like its own target and unlike the other samples' targets."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank, total


def batch_twins(prediction: Tensor, target: Tensor, off_diagonal: float) -> Tensor:
    """The cosines of predictions and targets across a batch against the identity: two n × d -> scalar, summed and not averaged.

    Sui et al. 2024 (LFR), equation 5 as in layer6ai-labs/lfr: the sum over i of (c_ii − 1)² and `off_diagonal` times that of
    c_ij², c over the samples of all processes.
    """
    with full_precision():
        mine, everyone = unit(prediction), gather(unit(target))
        likeness = mine @ everyone.T
        n = len(mine)
        own = likeness[torch.arange(n), torch.arange(n) + rank() * n]
        others = likeness.square().sum() - own.square().sum()
        return total((own - 1).square().sum() + off_diagonal * others)
