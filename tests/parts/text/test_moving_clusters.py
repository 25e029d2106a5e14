import pytest
import torch

from tacit.errors import TacitError
from tacit.numerics.exact import unit
from tacit.parts.text.moving_clusters import MovingClusters


def test_centroids_begin_far_from_the_last_one():
    torch.manual_seed(0)
    z = torch.randn(6, 3)
    cosines = unit(z) @ unit(z).T
    clusters = MovingClusters(4, 3, 0.1)
    assert not clusters.begun
    clusters.begin(z, cosines)
    chosen = [int((z == c).all(1).nonzero()) for c in clusters.centroids]
    assert clusters.begun and len(set(chosen)) == 4
    for step in range(1, 4):
        free = [row for row in range(6) if row not in chosen[:step]]
        assert chosen[step] == min(free, key=lambda row: float(cosines[chosen[step - 1], row]))


def test_they_follow_the_sum_of_their_members():
    clusters = MovingClusters(3, 2, 0.1)
    clusters.centroids.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, -1.0]]))
    moved = clusters.moved(torch.tensor([[3.0, 1.0], [2.0, 0.0], [0.1, 5.0]]))
    torch.testing.assert_close(moved, torch.tensor([[0.9 + 0.5, 0.1], [0.01, 1.8 + 0.5], [-1.0, -1.0]]))


def test_more_clusters_than_samples_are_refused():
    with pytest.raises(TacitError, match="fewer --clusters"):
        MovingClusters(4, 3, 0.1).begin(torch.randn(3, 3), torch.zeros(3, 3))
