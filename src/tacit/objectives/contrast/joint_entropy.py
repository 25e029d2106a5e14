"""Two codes of one sample know little of each other where both together fill as much space as they can."""

import math

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, size, total
from tacit.objectives.contrast.decoupled_uniformity import nearness


def joint_entropy(first: Tensor, second: Tensor, t: float) -> Tensor:
    """The mean over samples of log of the mean over all, itself too, of exp(−t‖a − a′‖² − t‖b − b′‖²): n × d, n × e -> scalar.

    Louiset et al. 2024 (arXiv:2402.11928), k-JEM, of the samples of all processes: minus an estimate of the entropy of both
    codes together, whose sum of single entropies it falls short of by what they know of each other. Of the pairs only a
    tile is held.
    """
    with full_precision():
        own = torch.cat([first, second], 1).float()
        own = own - total(own.detach().sum(0)) / (len(own) * size())  # the same distances by smaller numbers
        everyone = gather(own)
        return nearness(own, everyone, t).mean() - math.log(len(everyone))
