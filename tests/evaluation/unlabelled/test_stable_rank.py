"""The stable rank against the norms themselves, and matrices whose stable rank is known."""

import math

import numpy as np
import pytest
import torch

from tacit.evaluation.unlabelled import stable_rank as room
from tacit.evaluation.unlabelled.stable_rank import stable_rank


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(200, 12), (12, 200)])
def test_it_is_the_ratio_of_norms(shape):
    x = normal(*shape) + 0.3
    expected = (np.linalg.norm(x.double().numpy()) / np.linalg.norm(x.double().numpy(), 2)) ** 2
    number = stable_rank(x)
    assert number.value == pytest.approx(expected, rel=1e-9)
    assert math.isnan(number.low) and number.protocol["interval"].startswith("none")


def test_known_cases():
    assert stable_rank(torch.eye(7)).value == pytest.approx(7)
    assert stable_rank(torch.ones(30, 5)).value == pytest.approx(1)
    assert stable_rank(torch.diag(torch.tensor([2.0, 1.0, 1.0]))).value == pytest.approx(1.5)


def test_nothing_but_zeros_says_why():
    number = stable_rank(torch.zeros(10, 4))
    assert math.isnan(number.value) and "zero" in number.why


def test_very_wide_features_are_thinned(monkeypatch):
    monkeypatch.setattr(room, "LIMIT", 30)
    assert stable_rank(normal(100, 40)).protocol["samples"] == 30
    assert stable_rank(normal(100, 30)).protocol["samples"] == 100
