"""Two codes of one sample know little of each other where both together fill as much space as they can."""

import math

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, size, total
from tacit.numerics.tiles import between


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
        rows = torch.cat([2 * t * own, torch.ones_like(own[:, :1])], 1)  # −t‖x − y‖² as a product, but for −t‖x‖²
        columns = torch.cat([everyone, -t * everyone.square().sum(1, keepdim=True)], 1)
        near = between(rows, columns) - t * own.square().sum(1)
        return near.mean() - math.log(len(everyone))
