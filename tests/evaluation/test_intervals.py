"""Intervals: known values and coverage."""

import numpy as np
import pytest

from tacit.evaluation.intervals import bootstrap, difference, jackknife, pairs, subsample, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0)],
)
def test_wilson(hits, n, low, high):
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_difference():
    """Newcombe 1998, "Interval estimation for the difference", table II: 56/70 − 48/80, method 10."""
    assert difference(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_bootstrap_is_seeded_and_close_to_the_normal_interval():
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap(values, "a")
    assert (low, high) == bootstrap(values, "a")
    assert (low, high) != bootstrap(values, "b")
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_pairs_covers():
    """The mean over pairs of (a − b)² estimates 2 for standard normals; 95 % of the intervals should hold it."""
    inside = 0
    for seed in range(200):
        x = np.random.default_rng(seed).normal(size=300)
        each = np.square(x[:, None] - x).sum(1) / 299
        low, high = pairs(each)
        inside += low <= 2 <= high
    assert 0.9 <= inside / 200 <= 0.99


def test_jackknife_of_a_mean_is_its_standard_error():
    x = np.random.default_rng(0).normal(size=20)
    low, high = jackknife(x.mean(), (x.sum() - x) / 19)
    half = 1.959964 * x.std(ddof=1) / np.sqrt(20)
    assert (low, high) == pytest.approx((x.mean() - half, x.mean() + half))


def test_subsample():
    rows = subsample(100, 10, "a")
    assert len(set(rows)) == 10 and (np.diff(rows) > 0).all() and rows.max() < 100
    assert np.array_equal(rows, subsample(100, 10, "a"))
    assert np.array_equal(subsample(5, 10, "a"), np.arange(5))
