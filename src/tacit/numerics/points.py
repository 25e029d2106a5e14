"""Point clouds in batches: far-apart points, groups of neighbours, distances between clouds."""

from typing import NamedTuple

import torch
from torch import Tensor


class Groups(NamedTuple):
    """Clouds as groups of neighbouring points, which may overlap."""

    points: Tensor  # n × t × k × 3, relative to the centre of their group
    centres: Tensor  # n × t × 3


def farthest(points: Tensor, count: int) -> Tensor:
    """Positions of `count` points that lie far apart: n × p × 3 -> int64, n × count (Eldar et al. 1997).

    The first is the point farthest from the mean, each further one the farthest from all before it; so they depend on the set
    of points and not on their order, but for ties. Of fewer points than asked for some come again.
    """
    n = len(points)
    rows = torch.arange(n, device=points.device)
    chosen = torch.empty(n, count, dtype=torch.int64, device=points.device)
    current = (points - points.mean(1, keepdim=True)).square().sum(2).argmax(1)
    nearest = torch.full(points.shape[:2], torch.inf, device=points.device)
    for number in range(count):
        chosen[:, number] = current
        nearest = torch.minimum(nearest, (points - points[rows, current][:, None]).square().sum(2))
        current = nearest.argmax(1)
    return chosen


def neighbours(queries: Tensor, points: Tensor, k: int) -> Tensor:
    """The k nearest points to each query, nearest first: n × q × d and n × p × d -> int64, n × q × k."""
    exact = points.shape[2] <= 8  # there by differences: by products near points get distances that are wrong by 1e-4
    how = "donot_use_mm_for_euclid_dist" if exact else "use_mm_for_euclid_dist_if_necessary"
    return torch.cdist(queries, points, compute_mode=how).topk(k, largest=False).indices


def taken(points: Tensor, index: Tensor) -> Tensor:
    """n × p × d and positions n × … -> n × … × d."""
    flat = index.flatten(1)
    return points.gather(1, flat[:, :, None].expand(-1, -1, points.shape[2])).view(*index.shape, points.shape[2])


@torch.no_grad()
def grouped(points: Tensor, count: int, size: int) -> Groups:
    """`count` groups of the `size` nearest points around points that lie far apart (Yu et al. 2022, arXiv:2111.14819, 3.1)."""
    points = points.float()
    centres = taken(points, farthest(points, count))
    return Groups(taken(points, neighbours(centres, points, size)) - centres[:, :, None], centres)


def chamfer(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared distance to the nearest point, both ways (Fan et al. 2017, arXiv:1612.00603): … × p × 3, … × q × 3 -> …"""
    apart = (first[..., :, None, :] - second[..., None, :, :]).square().sum(-1)
    return apart.amin(-1).mean(-1) + apart.amin(-2).mean(-1)
