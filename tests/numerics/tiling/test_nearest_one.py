"""The nearest centroid against all distances in float64: near ones, far ones, ties, and any tile, precision and threads."""

import pytest
import torch

from tacit.numerics.tiling import nearest_one as module
from tacit.numerics.tiling.nearest_one import nearest_one


@pytest.fixture(params=[torch.float32, torch.bfloat16], autouse=True)
def screened(request, monkeypatch):
    monkeypatch.setattr(module, "_screening", lambda device: [request.param])


def all_distances(x, centroids):
    return (x.double()[:, None] - centroids.double()).square().sum(2)


@pytest.mark.parametrize("n, k, d", [(1, 1, 1), (70, 1, 3), (301, 33, 17), (257, 600, 5)])
@pytest.mark.parametrize("away", [0.0, 50.0])
def test_is_the_nearest_of_all(n, k, d, away):
    generator = torch.Generator().manual_seed(0)
    x, centroids = torch.randn(n, d, generator=generator) + away, torch.randn(k, d, generator=generator) + away
    labels, distances = nearest_one(x, centroids)
    every = all_distances(x, centroids)
    assert labels.dtype == torch.int64
    torch.testing.assert_close(distances.double(), every.min(1).values, rtol=1e-4, atol=1e-4 if away else 1e-6)
    taken = every.gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(taken, every.min(1).values, rtol=1e-5, atol=1e-4 if away else 1e-6)
    if not away:
        assert torch.equal(labels, every.argmin(1))


def test_centroids_that_low_precision_cannot_tell_apart():
    generator = torch.Generator().manual_seed(0)
    centroids = torch.randn(1, 16, generator=generator) + 1e-3 * torch.randn(50, 16, generator=generator)
    x = centroids.repeat(4, 1) + 1e-4 * torch.randn(200, 16, generator=generator)
    assert torch.equal(nearest_one(x, centroids)[0], torch.arange(50).repeat(4))


def test_of_equal_centroids_the_first():
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    centroids = x[:5].repeat(3, 1)
    labels, distances = nearest_one(x, centroids)
    assert torch.equal(labels, all_distances(x, x[:5]).argmin(1))
    assert torch.equal(distances[:5], torch.zeros(5))


def test_tiles_and_threads_change_nothing(monkeypatch):
    x, centroids = torch.randn(100, 8), torch.randn(20, 8)
    whole, before = nearest_one(x, centroids), torch.get_num_threads()
    monkeypatch.setattr(module, "CELLS", 1)
    torch.set_num_threads(3)
    try:
        again = nearest_one(x.requires_grad_(), centroids)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(again[0], whole[0])
    torch.testing.assert_close(again[1], whole[1])


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_rounded_products_of_float32_change_nothing(precision, monkeypatch):
    monkeypatch.undo()
    x, centroids = torch.randn(200, 8), torch.randn(50, 8)
    torch.set_float32_matmul_precision(precision)
    try:
        labels = nearest_one(x, centroids)[0]
    finally:
        torch.set_float32_matmul_precision("highest")
    assert torch.equal(labels, all_distances(x, centroids).argmin(1))
