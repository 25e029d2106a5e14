"""Samples lie apart, each where the mean of its views lies."""

import math

import torch
from torch import Tensor

from tacit.errors import several
from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, mine
from tacit.numerics.tiles import between


def decoupled_uniformity(centroids: Tensor, t: float) -> Tensor:
    """log of the mean over pairs of samples of exp(−t‖μ − μ′‖²): n × d -> scalar, over the samples of all processes.

    Dufumier et al. 2023 (arXiv:2206.01646), equation 2. Centroids are means of directions and lie within the sphere: that they
    are pushed apart brings the views of each together, for only views that agree have a long mean. Of the pairs only a tile
    is held.
    """
    with full_precision():
        own = centroids.float()
        everyone = gather(own)
        count = len(everyone)
        several(count)
        near = nearness(own, everyone, t, mine(len(own), own.device)[:, None])
        return gather(near).logsumexp(0) - math.log(count * (count - 1))


def nearness(own: Tensor, everyone: Tensor, t: float, hidden: Tensor | None = None) -> Tensor:
    """log Σ exp(−t‖x − y‖²) of each own x over everyone's y, the positions `hidden`, n × h, left out: n × d, N × d -> n."""
    rows = torch.cat([2 * t * own, torch.ones_like(own[:, :1])], 1)  # −t‖x − y‖² as a product, but for −t‖x‖²
    columns = torch.cat([everyone, -t * everyone.square().sum(1, keepdim=True)], 1)
    return between(rows, columns, hidden) - t * own.square().sum(1)
