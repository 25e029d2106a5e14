"""The paired contrast against the formula written out, its gradient, and what it is of equal and of unrelated rows."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from tacit.numerics import tiles
from tacit.objectives.paired_contrast import paired_contrast
from tests.methods.fixed import wave


def naive(a, b, temperature):
    likeness = normalize(a) @ normalize(b).T / temperature
    own = torch.arange(len(a))
    return (cross_entropy(likeness, own) + cross_entropy(likeness.T, own)) / 2


@pytest.mark.parametrize("tile", [512, 3])
def test_value_and_gradient_are_those_of_the_formula(tile, monkeypatch):
    monkeypatch.setattr(tiles, "TILE", tile)
    both = [wave(8, 6, turn=turn).requires_grad_() for turn in (0.7, 1.1)]
    found, wanted = paired_contrast(*both, 0.2), naive(*both, 0.2)
    torch.testing.assert_close(found, wanted)
    for mine, theirs in zip(torch.autograd.grad(found, both), torch.autograd.grad(wanted, both)):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-4)


def test_known_values():
    alike = torch.ones(4, 3)
    assert float(paired_contrast(alike, alike, 0.2)) == pytest.approx(math.log(4), rel=1e-6)
    apart = torch.eye(4)
    assert float(paired_contrast(apart, apart, 0.02)) < 1e-6


def test_one_pair_has_nothing_to_be_told_from():
    both = [wave(1, 6, turn=turn).requires_grad_() for turn in (0.7, 1.1)]
    for temperature in (0.2, 0.01):  # with and without a bound on what is summed
        loss = paired_contrast(*both, temperature)
        assert float(loss.detach()) == 0
        assert all(not slope.any() for slope in torch.autograd.grad(loss, both))


def test_a_small_loss_keeps_its_digits():
    """What is left of two large numbers is not their difference."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(300, 64, generator=generator)
    ours = [x.requires_grad_() for x in (first, first + 0.7 * torch.randn(300, 64, generator=generator))]
    true = [x.detach().double().requires_grad_() for x in ours]
    for temperature in (0.01, 0.03):
        found, near = paired_contrast(*ours, temperature), normalize(true[0]) @ normalize(true[1]).T / temperature
        others = near.masked_fill(torch.eye(300).bool(), -torch.inf)
        terms = [others.logsumexp(way) - near.diagonal() for way in (1, 0)]
        wanted = torch.nn.functional.softplus(torch.stack(terms)).mean()
        assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
        for mine, right in zip(torch.autograd.grad(found, ours), torch.autograd.grad(wanted, true)):
            assert float((mine.double() - right).norm()) < 1e-4 * float(right.norm())
