"""Objectives of transformed pairs and of propagation against loops, and their gradients against differences."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from tacit.objectives.contrast.propagated import propagated
from tacit.objectives.contrast.transformed_pairs import extrapolated, found_among, score_moments


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def checked(function, *inputs):
    """By differences; losses are float32 inside."""
    return gradcheck(function, tuple(x.clone().requires_grad_() for x in inputs), eps=1e-2, atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_found_among_takes_rows_as_long_as_they_are(temperature):
    query, key, negatives = drawn(5, 4), drawn(5, 4, seed=1), drawn(7, 4, seed=2)
    total = 0.0
    for q, k in zip(query, key):
        scores = [float(q @ other) / temperature for other in (k, *negatives)]
        total += math.log(sum(map(math.exp, scores))) - scores[0]
    assert found_among(query, key, negatives, temperature).item() == pytest.approx(total / 5, rel=1e-5)
    assert checked(lambda a, b, c: found_among(a, b, c, temperature), query, key, negatives)


@pytest.mark.parametrize("share", [1.0, 1.5, 2.0])
def test_extrapolated_pairs_are_less_alike(share):
    query, key = (torch.nn.functional.normalize(drawn(6, 4, seed=seed), dim=1) for seed in (0, 1))
    before = (query * key).sum(1)
    after = torch.stack(extrapolated(query, key, share)).prod(0).sum(1)
    torch.testing.assert_close(after, (share**2 + (1 - share) ** 2) * before + 2 * share * (1 - share))
    assert (after <= before + 1e-12).all()


def test_moments_of_scores_are_those_of_all_products():
    query, key, negatives = drawn(5, 4), drawn(5, 4, seed=1), drawn(9, 4, seed=2)
    products = query @ negatives.T
    expected = [(query * key).sum(1).mean(), products.mean(), products.var(1).mean()]
    assert [float(x) for x in score_moments(query, key, negatives)] == pytest.approx(list(map(float, expected)), rel=1e-5)


@pytest.mark.parametrize(("background", "hardest"), [(3, 2), (50, 50)])
def test_propagated_are_shares_of_the_nearest(background, hardest):
    likeness = drawn(4, 9).tanh()
    index, reached = torch.tensor([2, 0, 8, 5]), torch.tensor([[1, 1, 3], [4, 2, 7], [0, 5, 5], [6, 8, 1]])
    own_terms, reached_terms = 0.0, 0.0
    for row, own, others in zip(likeness.tolist(), index.tolist(), reached.tolist()):
        raised = [math.exp(value / 0.3) for value in row]
        near = sum(sorted(raised, reverse=True)[:background])
        least = sum(sorted(raised[other] for other in others)[:hardest])
        own_terms -= math.log(raised[own] / near + 1e-7)
        reached_terms -= math.log(least / abs(near - raised[own]) + 1e-7)
    terms = propagated(likeness, index, reached, 0.3, background, hardest)
    assert terms.instance.item() == pytest.approx(own_terms / 4, rel=1e-5)
    if background == 50:  # otherwise oneself may not be among the nearest
        assert terms.invariance.item() == pytest.approx(reached_terms / 4, rel=1e-4)
    assert checked(lambda x: propagated(x, index, reached, 0.3, 50, hardest).invariance, likeness)
    assert checked(lambda x: propagated(x, index, reached, 0.3, 50, hardest).instance, likeness)
