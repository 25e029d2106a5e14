"""Crops of several sizes through one encoder."""

from collections.abc import Callable, Iterable
from itertools import groupby

import torch
from torch import Tensor


def each_size(encoder: Callable[[Tensor], Tensor], crops: Iterable[Tensor]) -> Tensor:
    """What an encoder says of v crops of n samples: v times n × … -> (v · n) × dim, crop by crop.

    Neighbours of one size share a forward, as in the released code of SwAV: a norm sees them together.
    """
    sizes = groupby(crops, lambda crop: crop.shape)
    return torch.cat([encoder(torch.cat(list(alike))) for _, alike in sizes])
