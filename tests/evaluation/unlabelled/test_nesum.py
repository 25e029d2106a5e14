"""NESum against numpy's covariance, and spectra with a known sum."""

import math

import numpy as np
import pytest
import torch

from tacit.evaluation.unlabelled.nesum import nesum


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(300, 10), (20, 50)])
def test_it_is_the_sum_of_eigenvalues_over_the_largest(shape):
    x = normal(*shape) * torch.linspace(1, 3, shape[1]) + 5
    eigenvalues = np.linalg.eigvalsh(np.cov(x.double().numpy().T))
    number = nesum(x)
    assert number.value == pytest.approx(eigenvalues.sum() / eigenvalues[-1], rel=1e-9)
    assert math.isnan(number.low) and number.protocol["interval"].startswith("none")


def test_whitened_features_have_as_many_as_dimensions():
    q, _ = torch.linalg.qr(normal(50, 8).double() - normal(50, 8).double().mean(0))
    assert nesum(q + 3).value == pytest.approx(8)


def test_a_line_has_one_however_far_from_the_origin():
    assert nesum(torch.linspace(0, 1, 40)[:, None] * torch.ones(4) + 100).value == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(("x", "words"), [(torch.ones(1, 4), "2 samples"), (torch.full((10, 4), 0.1), "equal")])
def test_what_cannot_be_measured_says_why(x, words):
    number = nesum(x)
    assert math.isnan(number.value) and words in number.why
