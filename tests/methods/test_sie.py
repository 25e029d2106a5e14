"""SIE against facebookresearch/SIE@54541cf.

TERMS, HEADS, HYPERNETWORK and INPUT are of its own `SIE` (src/models.py) around an encoder that says what it sees, with
equi 3, mlp 10-10-10, equi-factor 0.45, coefficients 10, 10 and 1 and a hypernetwork of 3 numbers, on current torch.
"""

import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.decorrelation import sie
from tacit.methods.decorrelation.sie import SIE, WEIGHTS, posed, turned, way
from tacit.views import Program, modality
from tests.methods.fixed import D, Identity, N, fill, matrix_gradients, wave

LOSS = 25.115257
TERMS = {"invariance": 0.687528, "equivariance": 1.396556, "variance": 0.166737 + 0.451818, "covariance": 5.769924}
HEADS = [14.981212, 48.707706, 17.956409, 9.521437, 12.777588, 18.881548]  # norms of the gradients of matrices
HYPERNETWORK = 5.344859
INPUT = (2.588671, [-0.403465, 0.03048, 0.450089, 0.275622, -0.442992, -0.240897])  # the norm, and of the first row


def test_terms_and_gradients_are_the_official_ones(monkeypatch):
    method, first, second = SIE(Identity(), dim=5), wave(N, D, turn=0.9).requires_grad_(), wave(N, D, turn=1.7)
    fill([*method.invariant.parameters(), *method.equivariant.parameters()])
    with torch.no_grad():
        method.hypernetwork.copy_(wave(3, 5, 5, turn=2.1) * 0.5)
    monkeypatch.setattr(sie, "posed", lambda batch, most: (batch.views, (None, None)))
    monkeypatch.setattr(sie, "way", lambda start, end: wave(N, 3, turn=0.4))
    terms = method.step(Batch([first, second], torch.arange(N)))
    assert {name: float(value.detach()) for name, (value, _) in terms.items()} == pytest.approx(TERMS, abs=1e-4)
    assert {name: weight for name, (_, weight) in terms.items()} == WEIGHTS
    assert (WEIGHTS["invariance"], WEIGHTS["equivariance"]) == (10.0, 4.5)
    loss = sum(value * weight for value, weight in terms.values())
    loss.backward()
    assert float(loss.detach()) == pytest.approx(LOSS, abs=1e-4)
    assert [*matrix_gradients(method.invariant), *matrix_gradients(method.equivariant)] == pytest.approx(HEADS, abs=1e-3)
    assert float(method.hypernetwork.grad.norm()) == pytest.approx(HYPERNETWORK, abs=1e-3)
    assert float(first.grad.norm()) == pytest.approx(INPUT[0], abs=1e-4)
    assert first.grad[0].tolist() == pytest.approx(INPUT[1], abs=1e-4)


def test_each_row_is_moved_by_the_matrix_of_its_own_way():
    method, x, told = SIE(Identity(), dim=5), wave(N, 5, turn=0.9), wave(N, 3, turn=0.4)
    for row, weights, found in zip(x, told, method.moved(x, told)):
        torch.testing.assert_close(found, sum(w * matrix for w, matrix in zip(weights, method.hypernetwork)) @ row)


def test_a_quarter_is_a_quarter_of_the_middle_square():
    pictures = wave(2, 3, 8, 8, turn=0.3)
    still, quarter, back = (turned(pictures, torch.full((2,), angle)) for angle in (0.0, math.pi / 2, -math.pi / 2))
    torch.testing.assert_close(quarter, still.rot90(1, (2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(back, still.rot90(-1, (2, 3)), atol=1e-5, rtol=0)


def test_no_corner_tells_the_angle():
    """Of a white picture nothing but white is ever seen."""
    angles = torch.linspace(-math.pi, math.pi, 25)
    torch.testing.assert_close(turned(torch.ones(25, 1, 12, 12), angles), torch.ones(25, 1, 12, 12))


def test_what_is_told_is_the_turn_between_the_looks_and_the_difference_of_hues():
    views = modality("image").fit({"size": 12, "mean": [0.5] * 3, "std": [0.2] * 3}).but(hue=0.5, jitter=1.0)
    index = torch.arange(6)
    content = _pictures(6)
    looks, drawn = Program(SIE.views, views, "SIE")(content, index.numpy(), 5)
    batch = Batch(looks, index, params=drawn, key=5)
    (first, _), poses = posed(batch, 60.0)
    angles = math.radians(60) * (2 * batch.uniform("turn", 2) - 1)
    torch.testing.assert_close(first, turned(looks[0], angles[:, 0]))
    told, between = way(*poses), angles[:, 1] - angles[:, 0]
    torch.testing.assert_close(torch.atan2(told[:, 1], told[:, 0]), between)
    torch.testing.assert_close(told[:, 2], drawn[1]["factors"][:, 3] - drawn[0]["factors"][:, 3])
    assert told[:, 2].abs().min() > 0 and between.abs().max() <= math.radians(120)


def _pictures(n):
    from tacit.data.generated import tiny_images

    return tiny_images(n, size=12).read(torch.arange(n).numpy())[0]


def test_what_cannot_be_halved_or_turned_is_refused():
    with pytest.raises(TacitError, match="largest_turn is 270"):
        SIE(Identity(), largest_turn=270.0)
