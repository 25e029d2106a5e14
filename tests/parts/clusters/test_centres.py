"""Soft assignments by Student's t, and centres that k-means begins."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.parts.clusters.centres import Centres


def test_assignments_are_the_papers():
    centres, z = Centres(3, 2), torch.randn(4, 2)
    with torch.no_grad():
        centres.points.copy_(torch.randn(3, 2))
    q, points = centres(z), centres.points.detach()
    for i in range(4):
        near = [1 / (1 + float((z[i] - points[k]).square().sum())) for k in range(3)]
        assert q[i].tolist() == pytest.approx([n / sum(near) for n in near], rel=1e-5)


def test_centres_begin_at_the_groups_there_are():
    torch.manual_seed(0)
    groups = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0], [9.0, 9.0]])
    z = groups.repeat_interleave(30, 0) + 0.1 * torch.randn(150, 2)
    centres = Centres(5, 2)
    centres.begin(z)
    gaps, nearest = torch.cdist(groups, centres.points.detach()).min(1)
    assert gaps.max() < 0.1 and len(nearest.unique()) == 5 and centres.points.requires_grad
    with pytest.raises(TacitError, match="5 clusters for 3 samples"):
        centres.begin(z[:3])
