"""RankMe, alignment, uniformity and spread as Numbers: value, interval, protocol."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import rankme as rankme_file
from tacit.evaluation.unlabelled import uniformity as uniformity_file
from tacit.evaluation.unlabelled.alignment import alignment
from tacit.evaluation.unlabelled.rankme import rankme
from tacit.evaluation.unlabelled.spread import spread
from tacit.evaluation.unlabelled.uniformity import uniformity
from tacit.numerics import spectra


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_rankme():
    x = normal(200, 12)
    values = np.linalg.svd(x.double().numpy(), compute_uv=False)
    shares = values / values.sum() + 1e-7
    number = rankme(x)
    assert number.value == pytest.approx(math.exp(-(shares * np.log(shares)).sum()), rel=1e-3)
    assert math.isnan(number.low) and number.protocol["interval"].startswith("none")


def test_rankme_of_very_wide_features_uses_a_subsample(monkeypatch):
    monkeypatch.setattr(rankme_file, "LIMIT", 30)
    assert rankme(normal(100, 40)).protocol["samples"] == 30
    assert rankme(normal(100, 30)).protocol["samples"] == 100


def test_alignment():
    a, b = normal(300, 6), normal(300, 6, seed=1)
    number = alignment(a, b)
    assert number.value == pytest.approx(float(spectra.alignment(a, b)))
    assert number.low < number.value < number.high
    with pytest.raises(TacitError, match="must be equal"):
        alignment(a, b[:10])


def test_uniformity(monkeypatch):
    x = normal(300, 6)
    number = uniformity(x)
    assert number.value == pytest.approx(float(spectra.uniformity(x)))
    assert number.low < number.value < number.high
    monkeypatch.setattr(uniformity_file, "LIMIT", 50)
    assert uniformity(x).protocol["samples"] == 50


def test_spread():
    x = normal(300, 6)
    number = spread(x)
    assert number.value == pytest.approx(float(spectra.feature_spread(x)), rel=1e-6)
    assert number.low < number.value < number.high <= 1
    few = spread(x[:10])
    assert few.value == pytest.approx(float(spectra.feature_spread(x[:10]))) and math.isnan(few.low)


@pytest.mark.parametrize("measure", [spread, uniformity])
def test_intervals_hold_the_value_of_a_large_sample(measure):
    mix = normal(6, 6, seed=5)
    truth = measure(normal(8000, 6, seed=1) @ mix).value
    inside = [(n := measure(normal(200, 6, seed=seed) @ mix)).low <= truth <= n.high for seed in range(2, 62)]
    assert sum(inside) >= 51
