"""The distance of a prediction from its target: known cases and the naive formula."""

import pytest
import torch

from tacit.objectives.prediction import cosine_distance


def test_known_cases():
    x = torch.eye(3)
    assert float(cosine_distance(x, 5 * x)) == pytest.approx(0)
    assert float(cosine_distance(x, x.roll(1, 0))) == pytest.approx(1)
    assert float(cosine_distance(x, -x)) == pytest.approx(2)


def test_it_is_the_naive_formula():
    torch.manual_seed(0)
    p, z = torch.randn(7, 4), torch.randn(7, 4)
    naive = sum(1 - float(a @ b) / float(a.norm() * b.norm()) for a, b in zip(p, z)) / 7
    assert float(cosine_distance(p, z)) == pytest.approx(naive, rel=1e-5)
