"""VICReg against facebookresearch/vicreg@4e12602: the numbers are what its model gave on these tensors."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.methods.decorrelation.vicreg import VICReg
from tacit.objectives.variance_covariance import variance_covariance
from tacit.parts.mlp import mlp
from tests.methods.fixed import Identity, fill, matrix_gradients, views, wave


def test_loss_and_gradient_are_the_official():
    method = VICReg(Identity(), dim=7)
    method.projector = mlp(6, 7, 7, 5, last_bias=False)
    fill(method.parameters())
    loss = sum(weight * term for term, weight in method.step(views(0.9, 1.7)).values())
    loss.backward()
    assert float(loss) == pytest.approx(111.2120361, rel=1e-5)
    assert matrix_gradients(method) == pytest.approx([214.721573, 235.093185, 179.12294], rel=1e-3)


def test_the_terms_are_their_definition():
    z = wave(9, 4, turn=0.9).double()
    covariance = torch.cov(z.T)
    short = sum(max(0.0, 1 - float(covariance[i, i] + 1e-4) ** 0.5) for i in range(4)) / 4
    together = sum(float(covariance[i, j]) ** 2 for i in range(4) for j in range(4) if i != j) / 4
    found = variance_covariance(z)
    assert [float(v) for v in found] == pytest.approx([short, together], rel=1e-5)


def test_known_cases():
    independent = torch.linalg.qr(torch.cat([torch.ones(16, 1), wave(16, 4, turn=0.9)], 1))[0][:, 1:] * 100
    assert [float(v) for v in variance_covariance(independent)] == pytest.approx([0, 0], abs=1e-2)
    assert [float(v) for v in variance_covariance(torch.ones(16, 4))] == pytest.approx([0.99, 0], abs=1e-6)  # collapsed


@pytest.mark.parametrize("name", ["invariance", "variance", "covariance"])
@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_weights_below_zero_are_refused(name, weight):
    with pytest.raises(TacitError, match=rf"^{name} is {weight}; it must be 0 or more\.$"):
        VICReg(Identity(), dim=4, **{name: weight})
    assert VICReg(Identity(), dim=4, **{name: 0.0})
