"""The bounds against naive sums, against an information that is known, and their intervals."""

import math

import numpy as np
import pytest
import torch
from scipy.special import i0e, i1e

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import information as room
from tacit.evaluation.unlabelled.information import mi_infonce, mi_nwj

TAU = 0.25


def views(n, seed, noise=0.5):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=g)
    return x + noise * torch.randn(n, 4, generator=g), x + noise * torch.randn(n, 4, generator=g)


def critic(first, second):
    u, v = (torch.nn.functional.normalize(x).double().numpy() for x in (first, second))
    return u @ v.T / TAU


@pytest.mark.parametrize("cells", [100, 1 << 20])
def test_they_are_the_naive_sums(monkeypatch, cells):
    monkeypatch.setattr(room, "CELLS", cells)
    a, b = views(41, 0)
    s = critic(a, b)
    infonce = np.mean([s[i, i] - np.log(np.exp(s[i]).mean()) for i in range(41)])
    assert mi_infonce(a, b, TAU).value == pytest.approx(infonce, abs=1e-5)
    even, odd = critic(a[0::2], b[0::2]), critic(a[1::2], b[1::2])
    off = ~np.eye(21, dtype=bool), ~np.eye(20, dtype=bool)
    constant = 1 - np.log(np.exp(even[off[0]]).mean())
    nwj = odd.diagonal().mean() + constant - np.exp(odd[off[1]] + constant - 1).mean()
    number = mi_nwj(a, b, TAU)
    assert number.value == pytest.approx(nwj, abs=1e-5) and number.protocol["constant"] == pytest.approx(constant, abs=1e-5)
    assert number.low < number.value < number.high


def test_known_information():
    """Angles whose difference is von Mises: the cosine over 1/κ is the best critic, and the information is in closed form."""
    kappa, random = 4.0, np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 4000)
    other = angle + random.vonmises(0, kappa, 4000)
    a, b = (torch.from_numpy(np.stack([np.cos(x), np.sin(x)], 1)) for x in (angle, other))
    truth = kappa * i1e(kappa) / i0e(kappa) - math.log(i0e(kappa)) - kappa
    nce, nwj = mi_infonce(a, b, 1 / kappa), mi_nwj(a, b, 1 / kappa)
    assert nce.value == pytest.approx(truth, abs=0.03) and nce.low <= truth <= nce.high
    assert nwj.value == pytest.approx(truth, abs=0.06) and nwj.low <= truth <= nwj.high
    assert mi_nwj(a, b, 1.0).value < truth - 0.1  # another critic is a looser bound


@pytest.mark.parametrize("measure", [mi_infonce, mi_nwj])
def test_intervals_hold_the_mean_over_many_samples(measure):
    numbers = [measure(*views(200, seed), TAU) for seed in range(200)]
    truth = float(np.mean([n.value for n in numbers]))
    assert sum(n.low <= truth <= n.high for n in numbers) >= 176


def test_infonce_is_at_most_log_n():
    number = mi_infonce(torch.eye(16), torch.eye(16), 0.01)
    assert number.value == pytest.approx(math.log(16)) and number.value <= math.log(16)
    assert "log n" in number.protocol["bound"]


def test_unrelated_and_collapsed_views_share_nothing():
    a, b = views(1000, 0)[0], views(1000, 1)[0]
    assert mi_infonce(a, b, 1.0).value < 0.02 and mi_nwj(a, b, 1.0).value < 0.05
    for measure in (mi_infonce, mi_nwj):
        number = measure(torch.ones(20, 3), torch.ones(20, 3))
        assert number.value == pytest.approx(0, abs=1e-5) and math.isnan(number.low)


def test_edges(monkeypatch):
    assert "at least 2" in mi_infonce(torch.ones(1, 3), torch.ones(1, 3)).why
    assert "each half" in mi_nwj(torch.ones(3, 3), torch.ones(3, 3)).why
    monkeypatch.setattr(room, "LIMIT", 30)
    for measure in (mi_infonce, mi_nwj):
        assert measure(*views(90, 0)).protocol["drawn_from"] == 90
        with pytest.raises(TacitError, match="must be equal"):
            measure(torch.ones(4, 3), torch.ones(5, 3))
        with pytest.raises(TacitError, match="above 0"):
            measure(*views(9, 0), 0.0)
