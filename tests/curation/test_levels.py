"""Hierarchical k-means: known clusters, and centroids that do not crowd where the data do."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from tacit.curation.choosing import at_hazard, balanced, diverse, evenly_by_one_level, typical
from tacit.curation.levels import _closest, _even_centroids, hierarchical_kmeans, usual_levels
from tacit.curation.spread import farthest_first
from tacit.numerics.exact import unit


def long_tail(seed=0):
    """Eight far groups of 1200 to 20 rows, and which group each row is of."""
    g = torch.Generator().manual_seed(seed)
    sizes = torch.tensor([1200, 600, 300, 150, 80, 40, 20, 20])
    which = torch.arange(8).repeat_interleave(sizes)
    return unit(torch.eye(8, 16)[which] + 0.05 * torch.randn(len(which), 16, generator=g)), which.numpy()


def entropy(classes):
    shares = np.bincount(classes) / len(classes)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def test_known_groups_of_groups_are_found():
    g = torch.Generator().manual_seed(0)
    far, near = 100 * torch.randn(3, 8, generator=g), 10 * torch.randn(12, 8, generator=g)
    leaf = torch.arange(12).repeat_interleave(30)
    x = far[leaf // 4] + near[leaf] + 0.1 * torch.randn(360, 8, generator=g)
    first, second = hierarchical_kmeans(x, [12, 3])
    assert adjusted_rand_score(leaf, first) == 1
    assert adjusted_rand_score(leaf // 4, second[first]) == 1


def test_resampling_spreads_centroids_evenly():
    """Of rows 20 times as dense on one half of a line as on the other, k-means puts most centroids on the dense half."""
    g = torch.Generator().manual_seed(0)
    x = torch.cat([torch.rand(4000, 1, generator=g), 1 + torch.rand(200, 1, generator=g)])
    plain, even = (_even_centroids(x, 40, closest, 10, key=1) for closest in (1, 20))
    assert (plain > 1).sum() < 14
    assert (even > 1).sum() >= (plain > 1).sum() + 3


def test_the_closest_of_each_cluster():
    labels, distances = torch.tensor([0, 2, 0, 2, 2]), torch.tensor([0.5, 0.1, 0.2, 0.3, 0.2])
    assert sorted(_closest(labels, distances, 2).tolist()) == [0, 1, 2, 4]


def test_the_same_seed_gives_the_same_levels():
    x, _ = long_tail()
    ours, again, other = (hierarchical_kmeans(x, [40, 8], seed=seed) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(ours, again))
    assert not torch.equal(ours[0], other[0])


@pytest.mark.parametrize(("n", "sizes"), [(20, [1]), (600, [20]), (3000, [100, 20]), (200_000, [6666, 1333, 266, 53])])
def test_usual_levels(n, sizes):
    assert usual_levels(n) == sizes


def test_balanced_choice_is_more_even_than_chance():
    x, which = long_tail()
    found = balanced(x, 200, 0)
    assert len(found.chosen) == len(np.unique(found.chosen)) == 200
    assert entropy(which[found.chosen]) > entropy(which[at_hazard(x, 200, 0).chosen]) + 0.3
    assert entropy(which[found.chosen]) > entropy(which[evenly_by_one_level(x, 200, 0).chosen])


@pytest.mark.parametrize("way", [at_hazard, balanced, evenly_by_one_level, typical, diverse])
def test_every_way_chooses_as_many_different_rows_as_were_asked_for(way):
    x, _ = long_tail()
    for count in (1, 150, len(x) - 1):
        chosen = way(x, count, 1).chosen
        assert len(np.unique(chosen)) == len(chosen) == count and (np.diff(chosen) > 0).all()


def test_typical_rows_lie_in_the_middle_of_their_group():
    x, which = long_tail()
    chosen = typical(x, 8, 0).chosen
    middles = unit(torch.stack([x[which == c].mean(0) for c in range(8)]))
    cosines = (x * middles[torch.from_numpy(which)]).sum(1).numpy()
    assert cosines[chosen].mean() > np.quantile(cosines, 0.8)


def test_farthest_first_is_a_naive_loop():
    x = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    chosen = [7]
    while len(chosen) < 12:
        chosen.append(int(torch.cdist(x, x[chosen]).amin(1).argmax()))
    assert farthest_first(x, 12, 7).tolist() == chosen
    with pytest.raises(ValueError, match="61 of 60"):
        farthest_first(x, 61, 0)
