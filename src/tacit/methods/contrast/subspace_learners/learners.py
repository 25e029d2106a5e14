"""Learners that share the dimensions of one embedding, and the attention that all of them look through."""

import torch
from torch import Tensor, nn

from tacit.numerics.exact import full_precision

LARGEST_WHOLE, FEWEST_KEPT = 10, 5  # dimensions of a learner that is not divided; that stay with one that is


class Subspaces(nn.Linear):
    """A linear layer whose outputs are divided among learners; those of each are brought to length one.

    owner       int64, dim: the learner of each output, from 0
    importance  dim: the sum of output · gradient over samples, by which the last learner is divided
    """

    owner: Tensor
    importance: Tensor

    def __init__(self, width: int, dim: int, learners: int):
        super().__init__(width, dim)
        self.register_buffer("owner", torch.arange(dim) // -(-dim // learners))
        self.register_buffer("importance", torch.zeros(dim))
        for learner in range(learners):
            self.begin(self.owner == learner)

    @property
    def learners(self) -> int:
        return int(self.owner.max()) + 1

    def forward(self, x: Tensor) -> Tensor:
        """n × width -> n × dim, float32."""
        z = super().forward(x).float()
        with full_precision():
            mates = (self.owner[:, None] == self.owner).to(z)
            return z * (z.square() @ mates).clamp_min(1e-24).rsqrt()

    @torch.no_grad()
    def begin(self, rows: Tensor) -> None:
        """These outputs (bool, dim) anew, as a layer of their own begins: Xavier's normal law of their number."""
        fresh = nn.Linear(self.in_features, int(rows.sum()))
        nn.init.xavier_normal_(fresh.weight)
        self.weight[rows], self.bias[rows] = fresh.weight.to(self.weight), fresh.bias.to(self.bias)

    def grow(self, most: int) -> bool:
        """A new learner takes what matters less of the last one's dimensions, and begins with them anew; whether there is one.

        Those whose `shares_of_most` is above a half stay. Nothing changes where there are `most` learners already.
        """
        last = self.owner == self.learners - 1
        kept = torch.zeros_like(last).masked_scatter(last, shares_of_most(self.importance[last]) > 0.5)
        if self.learners >= most or int(last.sum()) <= LARGEST_WHOLE or int(kept.sum()) < FEWEST_KEPT:
            return False
        self.owner[last & ~kept] += 1
        self.begin(last & ~kept)
        return True


def shares_of_most(importance: Tensor) -> Tensor:
    """How much each matters, without sign: 0 the least and 1 the most of them; NaN where all are alike."""
    v = importance.abs()
    v = v / (v.square().sum() + 1e-8).sqrt()
    return (v - v.min()) / (v.max() - v.min())


class Attention(nn.Module):
    """The mean of a map over its places, each weighted from 0 to 1: n × width × h × w -> n × width."""

    def __init__(self, width: int):
        super().__init__()
        middle, narrow = max(width // 8, 1), max(width // 32, 1)
        self.weights = nn.Sequential(
            *(nn.Conv2d(width, middle, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(middle, narrow, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(narrow, 1, 3, padding=1), nn.Sigmoid()),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return (maps * self.weights(maps)).mean((2, 3))
