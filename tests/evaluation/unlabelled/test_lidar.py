"""LiDAR against the naive formula, and cases with a known rank."""

import math

import numpy as np
import pytest
import torch

from tacit.evaluation.unlabelled.lidar import lidar


def naive(looks: np.ndarray, delta: float) -> float:
    n, q, d = looks.shape
    means = looks.mean(1)
    between, within = np.zeros((d, d)), delta * np.eye(d)
    for i in range(n):
        between += np.outer(means[i] - means.mean(0), means[i] - means.mean(0)) / (n - 1)
        for j in range(q):
            within += np.outer(looks[i, j] - means[i], looks[i, j] - means[i]) / (n * (q - 1))
    values = np.linalg.eigvals(np.linalg.inv(within) @ between).real.clip(0)  # similar to the symmetric form
    shares = values / values.sum() + 1e-7
    return float(np.exp(-(shares * np.log(shares)).sum()))


def test_it_is_the_naive_formula():
    random = np.random.default_rng(0)
    looks = random.normal(size=(300, 1, 6)) * np.arange(1, 7) + random.normal(size=(300, 4, 6))
    assert lidar(torch.from_numpy(looks)).value == pytest.approx(naive(looks, 1e-4), rel=1e-6)


def test_dimensions_that_views_drown_do_not_count():
    random = torch.Generator().manual_seed(0)
    own = torch.randn(500, 1, 8, generator=random)
    noise = torch.randn(500, 5, 8, generator=random)
    all_eight = lidar(own + 0.1 * noise).value
    drowned = noise.clone()
    drowned[:, :, :4] *= 0.1
    drowned[:, :, 4:] *= 100
    own[:, :, 4:] *= 0.01
    assert all_eight == pytest.approx(8, rel=0.05)
    assert lidar(own + drowned).value == pytest.approx(4, rel=0.1)


def test_one_direction_has_rank_one():
    line = torch.linspace(-1, 1, 50)[:, None, None] * torch.ones(1, 3, 5)
    assert lidar(line).value == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(("shape", "words"), [((1, 3, 4), "2 samples"), ((5, 1, 4), "2 looks"), ((3, 2, 3000), "3000")])
def test_what_cannot_be_measured_says_why(shape, words):
    number = lidar(torch.zeros(shape))
    assert math.isnan(number.value) and words in number.why
