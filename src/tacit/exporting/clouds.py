"""Point clouds in."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tacit.data.clouds.samples import Clouds
from tacit.data.samples import Samples
from tacit.exporting.front import Front, length, one
from tacit.views.cloud import CloudViews


class CloudFront(Front):
    """Clouds, moved to the origin and scaled to radius 1; then so many of their first points, again from the first where
    there are fewer: n × points × 3."""

    names = ("points",)
    varying = ({0: "batch", 1: "points"},)

    def __init__(self, views: CloudViews, facts: Mapping[str, Any]):
        super().__init__()
        self.points = views.points
        self.said = (f"float32, batch × points × 3: clouds in random order, of which the first {self.points} points are seen",)

    def forward(self, points: Tensor) -> Tensor:
        centred = points - points.mean(1, keepdim=True)
        within = centred / centred.square().sum(2).amax(1).sqrt()[:, None, None]
        place = torch.remainder(torch.arange(self.points, dtype=torch.float64), length(points[0, :, 0])).long()
        return within.index_select(1, place)

    def made_up(self) -> tuple[Tensor, ...]:
        return (torch.randn(3, self.points + 5, 3, generator=torch.Generator().manual_seed(0)),)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        points = content.points[:, : int(content.counts[0])]
        centred = points - points.mean(1, keepdim=True)  # of a cloud of which only some points are kept
        return (points,), Clouds(centred / centred.square().sum(2).amax().sqrt(), content.counts)
