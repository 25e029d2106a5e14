"""k-means on what is known, against scikit-learn, and at its edges."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tacit.numerics import kmeans as module
from tacit.numerics.kmeans import assign, kmeans


def blobs(k=5, each=40, apart=20.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = apart * torch.randn(k, 8, generator=generator)
    labels = torch.arange(k).repeat_interleave(each)
    return centres[labels] + torch.randn(k * each, 8, generator=generator), labels


def inertia(x, labels, centroids):
    return float((x - centroids[labels]).square().sum())


def test_separated_clusters_are_found():
    x, truth = blobs()
    torch.manual_seed(0)
    labels, centroids = kmeans(x, 5)
    assert adjusted_rand_score(truth, labels) == 1
    for cluster in range(5):
        torch.testing.assert_close(centroids[cluster], x[labels == cluster].mean(0))


@pytest.mark.parametrize("apart", [20.0, 1.0])
def test_as_good_as_scikit_learn(apart):
    """The same optimum where clusters are apart; where they overlap, within a few percent of the best of ten starts."""
    x, _ = blobs(apart=apart)
    torch.manual_seed(0)
    found = inertia(x, *kmeans(x, 5, rounds=100))
    best = KMeans(5, n_init=10, random_state=0).fit(x.numpy()).inertia_
    assert found == pytest.approx(best, rel=1e-4 if apart > 10 else 0.05)


def test_what_it_ends_on_is_a_fixed_point_of_scikit_learn():
    x, _ = blobs(apart=1.0)
    torch.manual_seed(1)
    labels, centroids = kmeans(x, 7, rounds=200)
    again = KMeans(7, init=centroids.numpy(), n_init=1).fit(x.numpy())
    assert again.inertia_ == pytest.approx(inertia(x, labels, centroids), rel=1e-5)
    assert np.array_equal(again.labels_, labels.numpy())


def test_an_empty_cluster_takes_the_farthest_sample():
    x = torch.tensor([[0.0], [0.1], [0.2], [10.0]])
    found = module.lloyd(x, torch.tensor([[0.0], [1000.0]]), 20)
    assert assign(x, found)[0].tolist() == [0, 0, 0, 1]
    torch.testing.assert_close(found, torch.tensor([[0.1], [10.0]]))


def test_as_many_clusters_as_samples():
    x, _ = blobs(k=3, each=4)
    torch.manual_seed(0)
    labels, centroids = kmeans(x, len(x))
    assert sorted(labels.tolist()) == list(range(len(x)))
    torch.testing.assert_close(centroids[labels], x)


def test_fewer_distinct_samples_than_clusters():
    x = torch.tensor([[0.0, 0.0], [5.0, 5.0]]).repeat(6, 1)
    torch.manual_seed(0)
    labels, centroids = kmeans(x, 4)
    assert torch.isfinite(centroids).all()
    torch.testing.assert_close(centroids[labels], x)


@pytest.mark.parametrize("k", [0, 13])
def test_impossible_numbers_are_refused(k):
    with pytest.raises(ValueError, match=f"{k} clusters of 12 samples"):
        kmeans(torch.randn(12, 2), k)


def test_the_same_seed_gives_the_same_clusters():
    x, _ = blobs(apart=1.0)
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(kmeans(x, 6))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


def test_assign_equals_all_distances_and_does_not_depend_on_tiles(monkeypatch):
    x, _ = blobs(apart=1.0)
    centroids = x[::17]
    labels, distance = assign(x, centroids)
    every = torch.cdist(x, centroids).square()
    assert torch.equal(labels, every.argmin(1))
    torch.testing.assert_close(distance, every.min(1).values, rtol=1e-3, atol=1e-3)
    monkeypatch.setattr(module, "ROWS", 7)
    again = assign(x, centroids)
    assert torch.equal(again[0], labels)
    torch.testing.assert_close(again[1], distance)


@pytest.mark.parametrize("n", [1, module.ROWS + 3])
def test_sums_by_products_are_those_by_addition(n):
    """On a GPU, where additions have no order."""
    x, labels = torch.randn(n, 3, dtype=torch.float64), torch.randint(0, 4, (n,))
    torch.testing.assert_close(module._summed(x, labels, 5), module.cluster_sums(x, labels, 5))
