"""What is said of a crop at three grains: as itself, among what is near to it, as one of some groups."""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest
from tacit.parts.dino_head import DINOHead
from tacit.parts.queue import Queue
from tacit.parts.transformer import Block


class Said(NamedTuple):
    """Of n crops."""

    instance: Tensor  # n × d, of unit length
    near: Tensor  # n × d, of unit length
    groups: Tensor  # n × k: cosines with directions


class Granules(nn.Module):
    """Three heads on what an encoder answered, the second after one block of attention over it and its neighbours.

    widths  of the projectors' layers, from the encoder's on; without biases, GELU between them
    """

    def __init__(self, widths: tuple[int, ...], k: int, heads: int, norm: bool):
        super().__init__()
        width, hidden = widths[:2]
        if heads < 1 or width % heads:
            raise TacitError(f"The encoder's answer has {width} numbers, which {heads} heads of attention do not divide.")
        self.instance, self.near = gelu_layers(*widths, norm=norm), gelu_layers(*widths, norm=norm)
        self.relation, self.norm = Block(width, heads), nn.LayerNorm(width, eps=1e-6)
        self.groups = DINOHead(width, hidden, widths[-1], k, norm)

    def forward(self, answer: Tensor, memory: Tensor, neighbours: int) -> Said:
        """Encoder's answers n × width, and m of earlier ones -> see `Said`."""
        found = memory[nearest(unit(answer), unit(memory), neighbours).positions]
        group = torch.cat([answer[:, None], found.to(answer)], 1)
        among = self.norm(self.relation(group)[:, 0])
        return Said(unit(self.instance(answer)), unit(self.near(among)), self.groups(answer))


def gelu_layers(*widths: int, norm: bool = False) -> nn.Sequential:
    """Linear layers of these widths without biases, with (batch normalisation and) GELU between them."""
    layers: list[nn.Module] = []
    *hidden, last = pairwise(widths)
    for width, to in hidden:
        layers += [nn.Linear(width, to, bias=False), *([nn.BatchNorm1d(to)] if norm else []), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(*last, bias=False))


def filled(rows: Tensor) -> Queue:
    """A queue that holds these rows from the beginning, length × width."""
    queue = Queue(*rows.shape)
    queue.rows.copy_(rows)
    return queue


def crops(rows: Tensor, n: int) -> Tensor:
    """Rows of v crops of n samples, crop by crop: (v · n) × … -> v × n × …."""
    return rows.unflatten(0, (-1, n))
