"""Samples near one another and far from corrupted ones: by a naive loop, whole and a few rows at a time."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from tacit.numerics.tiling import few_rows
from tacit.objectives.augmented_negatives import ACTIVE, augmented_negatives


def drawn(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(7, 4, generator=generator, dtype=dtype).requires_grad_() for _ in range(2)]


def naive(clean, corrupted, margin, alpha):
    def mean(values):
        return sum(values) / (sum(float(value) > ACTIVE for value in values) + ACTIVE)

    def distance(a, b):
        return (1 - cosine_similarity(a, b, dim=0)) / 2

    apart = [distance(a, b) for a in clean for b in clean]
    hinge = [torch.relu(margin - distance(a, b)) for a in clean for b in corrupted]
    return alpha * mean(apart) + (1 - alpha) * mean(hinge)


@pytest.mark.parametrize("cells", [1, 15, few_rows.CELLS])
def test_value_and_gradient_are_those_of_a_loop(monkeypatch, cells):
    monkeypatch.setattr(few_rows, "CELLS", cells)
    pair = drawn()
    found, wanted = augmented_negatives(*pair, 0.5, 0.3), naive(*pair, 0.5, 0.3)
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-4)
    for mine, right in zip(torch.autograd.grad(found, pair), torch.autograd.grad(wanted, pair)):
        torch.testing.assert_close(mine, right, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("cells", [1, few_rows.CELLS])
def test_gradients_are_those_of_differences(monkeypatch, cells):
    monkeypatch.setattr(few_rows, "CELLS", cells)
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    assert torch.autograd.gradcheck(lambda a, b: augmented_negatives(a, b, 0.45, 0.3), drawn(torch.double))
