"""Stability of clusters: scikit-learn's ARI, clusters that are there, clusters that are not, and edges."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import stability as room
from tacit.evaluation.unlabelled.stability import cluster_stability
from tacit.numerics import counter


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_scikit_learns_index_on_halves_extended_by_the_nearest_centroid():
    x = torch.nn.functional.normalize(normal(200, 5))
    expected = []
    for pair in range(3):
        order = torch.from_numpy(counter.permutation(counter.key("cluster_stability", pair), 200))
        found = []
        for number, half in enumerate((order[:100], order[100:])):
            centroids = room.seeded_kmeans(x[half], 4, counter.key("cluster_stability", pair, number))[1]
            found.append(torch.cdist(x, centroids).argmin(1).numpy())
        expected.append(adjusted_rand_score(*found))
    number = cluster_stability(x, clusters=4, pairs=3)
    assert number.value == pytest.approx(np.mean(expected))
    assert number.low <= number.value <= number.high


def test_clusters_that_are_there_come_again_and_others_do_not():
    blobs = torch.eye(4)[torch.arange(400) % 4] + 0.01 * normal(400, 4)
    assert cluster_stability(blobs * torch.linspace(0.1, 9, 400)[:, None], clusters=4).value > 0.7
    assert cluster_stability(normal(400, 32), clusters=8).value < 0.2


def test_same_again_and_torchs_generator_is_left_alone():
    x = normal(100, 6)
    before = torch.get_rng_state()
    assert cluster_stability(x, 3) == cluster_stability(x, 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_edges():
    few = cluster_stability(normal(39, 4), clusters=10)
    assert math.isnan(few.value) and "too few" in few.why
    collapsed = cluster_stability(torch.full((60, 7), 0.3) * torch.rand(60, 1), clusters=3)
    assert math.isnan(collapsed.value) and "same way" in collapsed.why
    one = cluster_stability(normal(60, 4), clusters=3, pairs=1)
    assert math.isnan(one.low) and one.protocol["interval"] == "none: one pair"
    two_points = torch.eye(2)[torch.arange(60) % 2]  # fewer distinct samples than clusters
    assert math.isfinite(cluster_stability(two_points, clusters=5).value)
    for wrong in ({"clusters": 1}, {"pairs": 0}):
        with pytest.raises(TacitError, match="at least"):
            cluster_stability(normal(60, 4), **wrong)
