"""Hyperbolic formulas against the hyperboloid itself, in float64; gradients; and what float32 and bfloat16 leave of them."""

import math

import pytest
import torch

from tacit.numerics import lorentz
from tests.methods.fixed import sine


def points(n, d, c, rate, size=1.0):
    return lorentz.exp_map(size * sine(n, d, rate=rate).double(), c)


def whole(x, c):
    """All d + 1 coordinates."""
    return torch.cat([lorentz.time(x, c)[:, None], x], 1)


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_points_lie_on_the_hyperboloid_as_far_as_the_tangent_is_long(c):
    v = sine(5, 4, rate=0.7).double()
    x = whole(lorentz.exp_map(v, c), c)
    torch.testing.assert_close(x[:, 1:].square().sum(1) - x[:, 0].square(), torch.full((5,), -1 / c).double())
    root = math.sqrt(c)
    torch.testing.assert_close(torch.acosh(root * x[:, 0]) / root, v.norm(dim=1))  # the distance from the vertex
    # the exponential map by its definition: cosh(√c|v|) o + sinh(√c|v|) v / (√c|v|), o the vertex
    length = root * v.norm(dim=1, keepdim=True)
    torch.testing.assert_close(x, torch.cat([length.cosh() / root, length.sinh() / length * v], 1))


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_distances_are_those_of_the_naive_formula_and_of_the_ball(c):
    x, y = points(4, 3, c, 0.7), points(6, 3, c, 1.3, 1.5)
    found = lorentz.distance(x, y, c)
    for i, a in enumerate(whole(x, c)):
        for j, b in enumerate(whole(y, c)):
            product = float(a[1:] @ b[1:] - a[0] * b[0])
            assert float(lorentz.inner(x, y, c)[i, j]) == pytest.approx(product)
            assert float(found[i, j]) == pytest.approx(math.acosh(-c * product) / math.sqrt(c), rel=1e-6)
    u, v = lorentz.in_ball(x, c), lorentz.in_ball(y, c)
    room = (1 - u.square().sum(1))[:, None] * (1 - v.square().sum(1))
    torch.testing.assert_close(torch.acosh(1 + 2 * torch.cdist(u, v).square() / room), math.sqrt(c) * found)


def test_the_exterior_angle_is_that_of_the_triangle():
    c, x, y = 0.5, points(5, 3, 0.5, 0.7), points(5, 3, 0.5, 1.3, 1.5)
    angle, root = lorentz.exterior_angle(x, y, c), math.sqrt(0.5)
    origin = torch.zeros(1, 3).double()
    for i in range(5):
        far = [
            float(lorentz.distance(a[None], b[None], c)) * root for a, b in ((origin[0], y[i]), (origin[0], x[i]), (x[i], y[i]))
        ]
        opposite, one, other = far  # the angle at x lies between those to the vertex and to y
        inside = math.acos((math.cosh(one) * math.cosh(other) - math.cosh(opposite)) / (math.sinh(one) * math.sinh(other)))
        assert float(angle[i]) == pytest.approx(math.pi - inside, rel=1e-5)
    behind = lorentz.exp_map(3 * torch.tensor([[0.3, 0.1, 0.2]]).double(), c)
    before = lorentz.exp_map(torch.tensor([[0.3, 0.1, 0.2]]).double(), c)
    assert float(lorentz.exterior_angle(before, behind, c)) < 2e-3 and float(lorentz.exterior_angle(behind, before, c)) > 3.13


def test_cones_narrow_away_from_the_vertex():
    far = lorentz.exp_map(torch.tensor([[0.05], [0.5], [1.0], [3.0]]).double(), 1.0)
    angles = lorentz.half_aperture(far, 1.0)
    assert float(angles[0]) == pytest.approx(math.pi / 2, abs=2e-3)
    assert float(angles[2]) == pytest.approx(math.asin(0.2 / math.sinh(1.0)))
    assert (angles.diff() < 0).all()


def test_gradients():
    c = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    v, w = (sine(4, 3, rate=rate).double().requires_grad_() for rate in (0.7, 1.3))

    def everything(v, w, c):
        x, y = lorentz.exp_map(v, c), lorentz.exp_map(1.5 * w, c)
        angles = lorentz.exterior_angle(x, y, c) - lorentz.half_aperture(x, c)
        return lorentz.distance(x, y, c), angles, lorentz.in_ball(x, c), lorentz.inner(x, y, c)

    torch.autograd.gradcheck(everything, (v, w, c))


@pytest.mark.parametrize("size", [0.0, 1e-8, 1e-4, 1.0, 30.0, 1e4])
def test_where_points_meet_and_far_away_values_and_gradients_stay_finite(size):
    """In float32, where 1 + 1e−8 is 1 and a guard of that size does nothing."""
    v = (size * sine(4, 8, rate=0.7)).requires_grad_()
    c = torch.tensor(1.0, requires_grad=True)
    x = lorentz.exp_map(v, c)
    y = torch.cat([x[:2], x[2:].roll(1, 0)])
    angles = lorentz.exterior_angle(x, y, c) - lorentz.half_aperture(x, c)
    (lorentz.distance(x, y, c).sum() + angles.sum() + lorentz.in_ball(x, c).sum()).backward()
    assert torch.isfinite(x).all() and torch.isfinite(v.grad).all() and torch.isfinite(c.grad).all()
    assert (lorentz.in_ball(x, c).norm(dim=1) <= 1).all()


def test_vectors_of_bfloat16_are_lifted_in_float32():
    """What an encoder under autocast gives, brought to float32 first, keeps distances; left in bfloat16, it does not."""
    v, w = 0.3 * sine(6, 16, rate=0.7), 0.3 * sine(6, 16, rate=1.3)
    true = lorentz.distance(lorentz.exp_map(v.double(), 1.0), lorentz.exp_map(w.double(), 1.0), 1.0)
    half = [x.bfloat16() for x in (v, w)]
    lifted = lorentz.distance(*(lorentz.exp_map(x.float(), 1.0) for x in half), 1.0)
    assert float((lifted - true).abs().max()) < 0.02
    within = lorentz.distance(*(lorentz.exp_map(x, 1.0) for x in half), 1.0)
    assert float((within.double() - true).abs().max()) > 2 * float((lifted - true).abs().max())
