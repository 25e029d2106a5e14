"""The decay of a spectrum: known exponents, and what cannot be fitted."""

import math

import numpy as np
import pytest
import torch

from tacit.evaluation.unlabelled.alpha_req import alpha_req


def with_spectrum(values: torch.Tensor, n: int = 400) -> torch.Tensor:
    """Features, n × d, whose covariance has exactly these eigenvalues."""
    d, random = len(values), torch.Generator().manual_seed(0)
    x = torch.randn(n, d, generator=random, dtype=torch.float64)
    left = torch.linalg.qr(x - x.mean(0))[0]
    left = left - left.mean(0)
    turn = torch.linalg.qr(torch.randn(d, d, generator=random, dtype=torch.float64))[0]
    return left * (values * (n - 1)).sqrt() @ turn.T + 3.0


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.5])
def test_a_known_exponent_is_found(alpha):
    j = torch.arange(1, 65, dtype=torch.float64)
    number = alpha_req(with_spectrum(j**-alpha))
    assert number.value == pytest.approx(alpha, abs=1e-6) and number.protocol["components"] == [5, 64]


def test_it_is_numpys_line():
    x = torch.randn(300, 40, generator=torch.Generator().manual_seed(1)) * torch.linspace(1, 3, 40)
    values = np.linalg.eigvalsh(np.cov(x.double().numpy().T))[::-1]
    slope = np.polyfit(np.log(np.arange(5, 41)), np.log(values[4:40]), 1)[0]
    assert alpha_req(x).value == pytest.approx(-slope, rel=1e-6)


def test_a_long_spectrum_is_fitted_to_its_hundredth():
    assert alpha_req(torch.randn(300, 200, generator=torch.Generator().manual_seed(2))).protocol["components"] == [5, 100]


@pytest.mark.parametrize("x", [torch.ones(50, 30), torch.randn(50, 8), torch.randn(6, 30)])
def test_too_short_a_spectrum_says_so(x):
    number = alpha_req(x)
    assert math.isnan(number.value) and "14 are needed" in number.why
