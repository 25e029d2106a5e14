"""Sequences of unequal length one after another, without padding, and a transformer's layer over them."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROWTH = 1.5  # of lengths: a bucket holds sequences up to this much longer than its shortest


class Packing(NamedTuple):
    """Where the elements of n sequences lie when all of them stand one after another, T in all."""

    there: Tensor  # bool, n × t: which places hold an element
    buckets: tuple[
        Tensor, ...
    ]  # int64, k × l each: places in the packed row, −1 for none; every sequence that has elements is in one

    def pack(self, x: Tensor) -> Tensor:
        """n × t × … -> T × …"""
        return x[self.there]

    def padded(self, x: Tensor) -> Tensor:
        """T × … -> n × t × …, zeros where there is no element."""
        return x.new_zeros(*self.there.shape, *x.shape[1:]).masked_scatter(self.there[..., None], x)

    def mean(self, x: Tensor) -> Tensor:
        """T × d -> n × d; of a sequence without elements 0."""
        n, t = self.there.shape
        row = torch.arange(n, device=x.device)[:, None].expand(n, t)[self.there]
        return x.new_zeros(n, x.shape[1]).index_add(0, row, x) / self.there.sum(1, keepdim=True).clamp_min(1)


def packing(there: Tensor) -> Packing:
    """Of sequences whose elements are where `there` is True, bool, n × t: sequences of like length share a bucket."""
    lengths = there.sum(1)
    place = torch.where(there, there.flatten().cumsum(0).view_as(there) - 1, -1)
    place = place.gather(1, (~there).byte().argsort(dim=1, stable=True))  # elements first, whatever gaps there were
    level = (lengths.log() / math.log(GROWTH)).ceil()
    buckets = [place[level == one] for one in level[lengths > 0].unique()]
    return Packing(there, tuple(bucket[:, : int((bucket >= 0).sum(1).max())] for bucket in buckets))


class PackedBlock(nn.Module):
    """Attention, then a perceptron, each on normalised elements and added to them, with dropout: T × width.

    Only attention, which is a small part of the work, pads: within its bucket.
    """

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, among: Packing) -> Tensor:
        x = x + self.dropout(self.out(self._attended(self.qkv(self.norm1(x)), among)))
        return x + self.dropout(self.mlp(self.norm2(x)))

    def _attended(self, qkv: Tensor, among: Packing) -> Tensor:
        """T × 3 · width -> T × width: every element looks at those of its own sequence."""
        found = torch.empty_like(qkv[:, : qkv.shape[1] // 3])
        rate = self.dropout.p if self.training else 0.0
        for place in among.buckets:
            inside = place >= 0
            q, k, v = qkv[place.clamp_min(0)].unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # k × heads × l × d
            mask = None if bool(inside.all()) else inside[:, None, None, :]
            out = F.scaled_dot_product_attention(q, k, v, mask, rate).transpose(1, 2).flatten(2)
            found = found.index_put((place[inside],), out[inside].to(found.dtype))
        return found
