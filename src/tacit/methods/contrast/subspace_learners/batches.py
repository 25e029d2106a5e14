"""Batches of an epoch in which every learner has its turn."""

import torch
from torch import Tensor


def in_turns(assigned: Tensor, labels: Tensor, size: int, each: int) -> list[Tensor]:
    """Batches of one cluster and balanced classes, a cluster after another, as many of each as the largest one fills.

    Of samples whose cluster is not −1, int64, N both -> positions: `each` samples of a class, as many classes as come into
    `size`.
    """
    clusters = [rows for one in range(int(assigned.max()) + 1) if len(rows := (assigned == one).nonzero()[:, 0])]
    count = max(1, max(map(len, clusters), default=0) // size)
    drawn = [rows[balanced(labels[rows], count, max(size // each, 1), each)] for rows in clusters]
    return [batch for turn in zip(*drawn) for batch in turn]


def balanced(labels: Tensor, count: int, classes: int, each: int) -> Tensor:
    """Rows for `count` batches of so many classes, `each` rows of each: int64, n -> count × (classes · each).

    Classes of a batch are different ones, as far as there are enough; of a class all rows come before one comes again.
    """
    shuffled = torch.randperm(len(labels))
    order, sizes = shuffled[labels[shuffled].argsort(stable=True)], labels.bincount()
    there = sizes.nonzero()[:, 0]
    draws = torch.randint(len(there), (count, classes))  # where there are not enough
    if len(there) >= classes:
        draws = torch.rand(count, len(there)).topk(classes).indices
    chosen = there[draws].flatten()
    by_class, often = chosen.argsort(stable=True), chosen.bincount(minlength=len(sizes))
    earlier = torch.empty_like(chosen)  # how often a class came in batches before
    earlier[by_class] = torch.arange(len(chosen)) - (often.cumsum(0) - often)[chosen[by_class]]
    place = (earlier[:, None] * each + torch.arange(each)) % sizes[chosen][:, None]
    return order[(sizes.cumsum(0) - sizes)[chosen][:, None] + place].view(count, -1)
