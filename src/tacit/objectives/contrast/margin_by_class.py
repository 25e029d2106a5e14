"""Pairs of one class inside a boundary and pairs of two classes outside, negatives being the nearest that are not too near."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision


def margin_by_class(z: Tensor, labels: Tensor, boundary: float = 1.2, margin: float = 0.2, cutoff: float = 0.5) -> Tensor:
    """The margin loss (Wu et al. 2017, arXiv:1706.07567, equation 8) of rows of length one, n × d, of classes int64, n.

    A row has so many positives as rows have on average, rounded down, and as many negatives: the nearest of other classes that
    are at least `cutoff` away, and where these are too few the nearest of the rest. A pair costs what its distance is above
    boundary − margin within a class, below boundary + margin between classes. Each positive goes with a negative, both in the
    order of rows; the sum is divided by the number of such twos that cost anything.
    """
    with full_precision():
        z = z.float()
        with torch.no_grad():
            alike = labels[:, None] == labels
            others_alike = alike.clone().fill_diagonal_(False)
            count = int(others_alike.sum()) // len(z)
            same, has_same = first_marked(others_alike, count)
            apart = torch.cdist(z, z)
            dear = (apart + 4.0 * (apart < cutoff)).masked_fill(alike, torch.inf)  # no distance is above 2
            cost, nearest = dear.topk(count, largest=False)
            chosen = torch.zeros_like(alike).scatter_(1, nearest, cost.isfinite())
            other, has_other = first_marked(chosen, count)
        near, far = (((z[rows] - z[:, None]).square().sum(2) + 1e-8).sqrt() for rows in (same, other))
        inside = (near - boundary + margin).relu() * has_same
        outside = (boundary - far + margin).relu() * (has_same & has_other)
        both = inside + outside
        return both.sum() / (both > 0).sum().clamp_min(1)


def first_marked(marked: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first `count` columns that are marked in each row, in order, and which of them there are: n × m -> n × count each."""
    there, found = marked.int().sort(dim=1, descending=True, stable=True)
    return found[:, :count], there[:, :count].bool()
