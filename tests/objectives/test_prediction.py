"""The distance of a prediction from its target: known cases and the naive formula."""

import pytest
import torch

from tacit.numerics.exact import unit
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


def test_its_gradient_is_the_slope():
    """By the formula d/dp (1 − cos) = (cos · p/|p| − z/|z|) / (n · |p|), in float64; both sides get theirs."""
    torch.manual_seed(0)
    p, z = torch.randn(7, 4, requires_grad=True), torch.randn(7, 4, requires_grad=True)
    cosine_distance(p, z).backward()
    for own, other in ((p, z), (z, p)):
        size, a, b = own.detach().double().norm(dim=1, keepdim=True), *(unit(x.detach().double()) for x in (own, other))
        slope = ((a * b).sum(1, keepdim=True) * a - b) / (7 * size)
        torch.testing.assert_close(own.grad.double(), slope, rtol=1e-5, atol=1e-7)


def test_half_precision_is_computed_in_full():
    torch.manual_seed(0)
    p, z = torch.randn(7, 256).bfloat16(), torch.randn(7, 256).bfloat16()
    assert torch.equal(cosine_distance(p, z), cosine_distance(p.float(), z.float()))


def test_a_row_of_zeros_has_no_direction():
    p = torch.zeros(2, 3, requires_grad=True)
    loss = cosine_distance(p, torch.ones(2, 3))
    loss.backward()
    assert float(loss) == 1 and bool(p.grad.isfinite().all())
