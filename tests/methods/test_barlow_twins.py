"""Barlow Twins against facebookresearch/barlowtwins@8e8d284: the numbers are what its model gave on these tensors."""

import pytest
import torch

from tacit.methods.decorrelation.barlow_twins import BarlowTwins
from tacit.objectives.cross_correlation import cross_correlation
from tacit.parts.mlp import mlp
from tests.methods.fixed import Identity, fill, matrix_gradients, views, wave


def test_loss_and_gradient_are_the_official():
    method = BarlowTwins(Identity(), dim=7)
    method.projector = mlp(6, 7, 7, 5, last_bias=False)
    fill(method.parameters())
    loss = method.step(views(0.9, 1.7))
    loss.backward()
    assert float(loss) == pytest.approx(5.0200691, rel=1e-5)
    assert matrix_gradients(method) == pytest.approx([29.204802, 5.281804, 2.268828], rel=1e-3)


def test_the_objective_is_its_definition():
    first, second = wave(9, 4, turn=0.9).double(), wave(9, 4, turn=1.7).double()
    loss = 0.0
    for i in range(4):
        for j in range(4):
            a, b = first[:, i] - first[:, i].mean(), second[:, j] - second[:, j].mean()
            c = (a * b).mean() / ((a.square().mean() + 1e-5) * (b.square().mean() + 1e-5)).sqrt()
            loss += (1 - c) ** 2 if i == j else 0.1 * c**2
    assert float(cross_correlation(first, second, 0.1)) == pytest.approx(float(loss), rel=1e-5)


def test_known_cases():
    x = torch.linalg.qr(torch.cat([torch.ones(16, 1), wave(16, 4, turn=0.9)], 1))[0][:, 1:] * 100  # uncorrelated, mean 0
    assert float(cross_correlation(x, x, 1.0)) == pytest.approx(0, abs=1e-6)  # equal views of independent features
    assert float(cross_correlation(x, -x, 1.0)) == pytest.approx(16, rel=1e-5)  # every correlation is −1
    same = x[:, :1].expand(-1, 4)
    assert float(cross_correlation(same, same, 1.0)) == pytest.approx(12, rel=1e-5)  # all features are one
