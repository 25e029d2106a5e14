"""What claims compare, and the statistics of it."""

import math

import numpy as np
import pytest

from tacit.claims.claim import Found, interval


def test_an_interval_is_students():
    from scipy import stats

    values = np.array([1.0, 2.0, 4.0])
    mean, low, high = interval(values)
    wanted = stats.t.interval(0.95, 2, loc=values.mean(), scale=stats.sem(values))
    assert (mean, low, high) == pytest.approx((7 / 3, *wanted), abs=1e-3)


def test_one_seed_has_no_interval_and_is_never_above_beyond_doubt():
    found = Found({"a": [{"knn": 50.0}], "b": [{"knn": 10.0}]}, "knn")
    assert found.gap("a", "b").value == 40 and math.isnan(found.gap("a", "b").low)
    assert not found.above("a", "b")


def test_gaps_are_paired_by_seed():
    found = Found({"a": [{"knn": 10.0 * s + 1} for s in range(3)], "b": [{"knn": 10.0 * s} for s in range(3)]}, "knn")
    assert found.gap("a", "b") == (1, 1, 1)
    assert found.above("a", "b") and not found.above("b", "a")


def test_another_metric_than_the_claims_own():
    found = Found({"a": [{"knn": 1.0, "spread": 5.0}]}, "knn")
    assert found.mean("a") == 1 and found.mean("a", "spread") == 5


def test_wavering_leaves_the_trend_out():
    from tacit.claims.training import wavering

    trend = [10.0 - 0.1 * i for i in range(300)]
    noise = np.random.default_rng(0).normal(0, 0.5, 300)
    assert wavering(trend) == pytest.approx(0.1 / 2**0.5)
    assert wavering([t + n for t, n in zip(trend, noise)]) == pytest.approx(0.5, rel=0.2)
