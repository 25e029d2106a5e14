"""Matching against naive loops."""

import math

import pytest
import torch

from tacit.numerics import tiles
from tacit.objectives.dual import scored as scoring
from tacit.objectives.dual.hardness_weighted import hardness_weighted
from tacit.objectives.dual.matched import matched
from tacit.objectives.dual.scored import scored
from tests.methods.fixed import sine


def sides(n=7, d=5):
    return [sine(n, d, rate=rate).double().float() for rate in (0.7, 1.3)]


def cosines(first, second):
    unit = [x / x.norm(dim=1, keepdim=True) for x in (first.double(), second.double())]
    return [[float(a @ b) for b in unit[1]] for a in unit[0]]


def entropy(table, smoothing=0.0):
    """The mean over rows of the cross-entropy with a target of 1 − ε at the own place and ε / N more everywhere."""
    total = 0.0
    for i, row in enumerate(table):
        sums = math.log(sum(math.exp(value) for value in row))
        for j, value in enumerate(row):
            target = smoothing / len(row) + (1 - smoothing) * (i == j)
            total += target * (sums - value) / len(table)
    return total


@pytest.mark.parametrize(("scale", "smoothing"), [(1.0, 0.0), (10.0, 0.1), (90.0, 0.5)])
def test_matched_is_the_naive_cross_entropy_in_both_directions(scale, smoothing):
    first, second = sides()
    table = [[scale * value for value in row] for row in cosines(first, second)]
    forth, back = matched(first, second, scale, smoothing)
    assert float(forth) == pytest.approx(entropy(table, smoothing), rel=1e-5)
    assert float(back) == pytest.approx(entropy(list(zip(*table)), smoothing), rel=1e-5)


@pytest.mark.parametrize("n", [1, 40])
def test_matched_keeps_the_digits_of_a_small_loss(n):
    """At CLIP's largest scale, 100, a loss of 1e-4 is what is left of numbers near 90."""
    first, second = torch.nn.functional.normalize(torch.randn(2, 40, 8, generator=torch.Generator().manual_seed(1)))[:, :n]
    ours = first.requires_grad_(), (first.detach() + 0.1 * second).requires_grad_()
    true = [x.detach().double().requires_grad_() for x in ours]
    near = 100 * torch.nn.functional.normalize(true[0]) @ torch.nn.functional.normalize(true[1]).T
    others = near.masked_fill(torch.eye(n).bool(), -torch.inf)
    for found, way in zip(matched(*ours, 100.0), (1, 0)):
        wanted = torch.nn.functional.softplus(others.logsumexp(way) - near.diagonal()).mean()
        assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
        slopes = torch.autograd.grad(found, ours, retain_graph=True), torch.autograd.grad(wanted, true, retain_graph=True)
        for mine, right in zip(*slopes):
            right = right.nan_to_num()  # of one row alone
            torch.testing.assert_close(mine.double(), right, rtol=1e-4, atol=1e-5 * float(right.abs().max()) + 1e-12)


def test_matched_of_many_is_held_in_tiles():
    first, second = sides(2 * tiles.TILE + 3, 4)
    near = 5 * torch.nn.functional.normalize(first) @ torch.nn.functional.normalize(second).T
    own = torch.arange(len(first))
    forth, back = matched(first, second, 5.0)
    assert float(forth) == pytest.approx(float(torch.nn.functional.cross_entropy(near, own)), rel=1e-4)
    assert float(back) == pytest.approx(float(torch.nn.functional.cross_entropy(near.T, own)), rel=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 9.0])
def test_hardness_is_the_naive_weighting(alpha):
    first, second = sides()
    temperature, total = 0.2, 0.0
    near = cosines(first, second)
    for table in (near, list(zip(*near))):
        for i, row in enumerate(table):
            others = sum(math.exp(alpha * s) * math.exp(s / temperature) for j, s in enumerate(row) if j != i)
            own = math.exp(row[i] / temperature)
            total -= math.log(own / (own + others)) / len(table) / 2
    assert float(hardness_weighted(first, second, temperature, alpha)) == pytest.approx(total, rel=1e-5)


def test_without_weights_hardness_is_matching():
    first, second = sides()
    torch.testing.assert_close(hardness_weighted(first, second, 0.1, 0.0), sum(matched(first, second, 10.0)) / 2)


def test_no_gradient_goes_through_a_weight():
    first, second = (x.requires_grad_() for x in sides())
    hardness_weighted(first, second, 0.2, 9.0).backward()
    ours = first.grad.clone(), second.grad.clone()
    first.grad = second.grad = None
    near = torch.nn.functional.normalize(first) @ torch.nn.functional.normalize(second).T
    weighted = near / 0.2 + 9.0 * near.detach() * (1 - torch.eye(len(near)))
    own = torch.arange(len(near))
    (sum(torch.nn.functional.cross_entropy(table, own) for table in (weighted, weighted.T)) / 2).backward()
    torch.testing.assert_close(ours[0], first.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours[1], second.grad, rtol=1e-4, atol=1e-6)


def test_scored_is_the_same_in_pieces(monkeypatch):
    first, second = (x.double().requires_grad_() for x in sides(23, 4))

    def score(x, y):
        return -torch.cdist(x, y)

    whole = scored(first, second, score)
    gradients = torch.autograd.grad(sum(whole), (first, second))
    own = torch.arange(23)
    torch.testing.assert_close(whole[0], torch.nn.functional.cross_entropy(score(first, second), own))
    torch.testing.assert_close(whole[1], torch.nn.functional.cross_entropy(score(second, first), own))
    monkeypatch.setattr(scoring, "PLAIN", 10)  # four rows at a time
    pieces = scored(first, second, score)
    torch.testing.assert_close(pieces, whole)
    torch.testing.assert_close(torch.autograd.grad(sum(pieces), (first, second)), gradients)


def test_gradients(monkeypatch):
    first, second = (sine(5, 3, rate=rate).double().requires_grad_() for rate in (0.7, 1.3))
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    monkeypatch.setattr(scoring, "PLAIN", 4)
    torch.autograd.gradcheck(lambda x, y, s: scored(x, y, lambda a, b: -s * torch.cdist(a, b)), (first, second, scale))
    for module in ("matched", "hardness_weighted"):
        monkeypatch.setattr(f"tacit.objectives.dual.{module}.unit", lambda x: torch.nn.functional.normalize(x, dim=-1))
    torch.autograd.gradcheck(lambda x, y, s: matched(x, y, s, 0.1), (first, second, scale))
    torch.autograd.gradcheck(lambda x, y: hardness_weighted(x, y, 0.5, 0.0), (first, second))
