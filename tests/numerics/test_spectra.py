"""Spectrum, effective rank, spread, alignment, uniformity: against float64 references and known cases."""

import math

import numpy as np
import pytest
import torch

from tacit.numerics import spectra
from tacit.numerics.spectra import (
    alignment,
    collapsed,
    distances,
    effective_rank,
    feature_spread,
    gram,
    potentials,
    singular_values,
    uniformity,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rank_by_svd(x, epsilon=1e-7):
    values = np.linalg.svd(x.double().numpy(), compute_uv=False)
    shares = values / np.abs(values).sum() + epsilon
    return math.exp(-(shares * np.log(shares)).sum())


CASES = {
    "tall": normal(300, 20),
    "wide": normal(20, 300),
    "decaying": normal(400, 64) @ torch.diag(0.7 ** torch.arange(64.0)) @ normal(64, 64, seed=1),
    "shifted": normal(200, 30) + 50,
    "collapsed": torch.ones(200, 32) + 1e-6 * normal(200, 32),
    "rank one": normal(200, 1) * normal(1, 32, seed=1),
}


@pytest.mark.parametrize("name", CASES)
def test_effective_rank_equals_a_float64_svd(name):
    assert float(effective_rank(CASES[name])) == pytest.approx(rank_by_svd(CASES[name]), rel=1e-3)


def test_effective_rank_known():
    assert float(effective_rank(torch.eye(16))) == pytest.approx(16, rel=1e-4)
    assert float(effective_rank(torch.ones(50, 16))) == pytest.approx(1, rel=1e-4)
    assert float(effective_rank(torch.zeros(50, 16))) == pytest.approx(1, rel=1e-4)


def test_tiles_change_nothing(monkeypatch):
    x = normal(101, 7)
    whole = gram(x), singular_values(x), feature_spread(x)
    monkeypatch.setattr(spectra, "ROWS", 10)
    for a, b in zip(whole, (gram(x), singular_values(x), feature_spread(x))):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(gram(x), x.double().T @ x.double())


def test_spread():
    x = normal(4000, 64)
    unit = x / x.norm(dim=1, keepdim=True)
    assert float(feature_spread(x)) == pytest.approx(float(unit.double().std(0, correction=0).mean() * 8), rel=1e-6)
    assert float(feature_spread(x)) == pytest.approx(1, abs=0.02)
    assert float(feature_spread(torch.ones(100, 8))) == pytest.approx(0, abs=1e-6)


def test_alignment_equals_a_loop():
    a, b = normal(50, 6), normal(50, 6, seed=1)
    each = [float((u / u.norm() - v / v.norm()).norm() ** 3) for u, v in zip(a, b)]
    assert distances(a, b, alpha=3).tolist() == pytest.approx(each, rel=1e-5)
    assert float(alignment(a, b, alpha=3)) == pytest.approx(sum(each) / 50, rel=1e-5)
    assert float(alignment(a, 5 * a)) == pytest.approx(0, abs=1e-9)
    assert float(alignment(a, -a)) == pytest.approx(4, rel=1e-6)


def test_uniformity_equals_wang_and_isola():
    x = normal(700, 6)  # more than a tile of rows
    unit = torch.nn.functional.normalize(x.double(), dim=1)
    expected = torch.pdist(unit).square().mul(-2).exp().mean().log()  # their code, in float64
    assert float(uniformity(x)) == pytest.approx(float(expected), rel=1e-5)
    full = torch.exp(-2 * torch.cdist(unit, unit).square()).fill_diagonal_(0).sum(1) / 699
    torch.testing.assert_close(potentials(x), full, rtol=1e-5, atol=0)


def test_uniformity_known():
    assert float(uniformity(torch.ones(30, 5))) == pytest.approx(0, abs=1e-5)
    assert float(uniformity(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))) == pytest.approx(-8, rel=1e-5)


def test_collapsed_is_conservative():
    healthy, same = normal(256, 128), torch.ones(256, 128) + 1e-3 * normal(256, 128)
    line = normal(256, 1) * normal(1, 128, seed=1)
    assert not collapsed(float(effective_rank(healthy)), float(feature_spread(healthy)), 256, 128)
    assert collapsed(float(effective_rank(same)), float(feature_spread(same)), 256, 128)
    assert collapsed(float(effective_rank(line)), float(feature_spread(line)), 256, 128)
    assert not collapsed(1.5, 0.5, 256, 8)  # of few dimensions few can be used
