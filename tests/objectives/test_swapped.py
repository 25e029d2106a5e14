"""Swapped prediction by value and gradient against a loop over views, pairs and samples."""

import math

import pytest
import torch

from tacit.objectives.swapped import swapped_prediction


def naive(scores, codes, temperature):
    total, pairs = 0.0, 0
    for i, own in enumerate(codes):
        for v, other in enumerate(scores):
            if v == i:
                continue
            pairs += 1
            for q, s in zip(own, other):
                p = torch.exp(s / temperature) / torch.exp(s / temperature).sum()
                total = total - (q * p.log()).sum() / len(own)
    return total / pairs


def case(views, assigned, n=5, k=4):
    generator = torch.Generator().manual_seed(views)
    scores = torch.randn(views, n, k, generator=generator).double()
    return scores, torch.randn(assigned, n, k, generator=generator).double().softmax(-1)


@pytest.mark.parametrize(("views", "assigned"), [(2, 2), (5, 2), (4, 1)])
def test_value_and_gradient_equal_the_loops(views, assigned):
    scores, codes = case(views, assigned)
    ours, theirs = scores.float().requires_grad_(), scores.clone().requires_grad_()
    loss, expected = swapped_prediction(ours, codes.float(), 0.3), naive(theirs, codes, 0.3)
    loss.backward()
    expected.backward()
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    torch.testing.assert_close(ours.grad, theirs.grad.float(), rtol=1e-4, atol=1e-6)


def test_known_cases():
    sure = torch.eye(3)[None].repeat(2, 1, 1)
    assert float(swapped_prediction(sure * 100, sure, 1.0)) == pytest.approx(0, abs=1e-6)  # both say the same, and are sure
    even = torch.zeros(3, 4, 6)
    assert float(swapped_prediction(even, even[:2].softmax(-1), 0.1)) == pytest.approx(math.log(6), rel=1e-6)
    wrong = sure.roll(1, -1)
    assert float(swapped_prediction(sure * 100, wrong, 1.0)) == pytest.approx(100, rel=1e-5)


def test_no_view_predicts_its_own_codes():
    scores = case(3, 1)[0].float().requires_grad_()
    swapped_prediction(scores, scores[:1].detach().softmax(-1), 0.1).backward()
    assert (scores.grad[0] == 0).all() and (scores.grad[1:] != 0).any(2).all()


def test_full_precision_within_autocast():
    scores, codes = (x.float() for x in case(3, 2))
    expected = swapped_prediction(scores.bfloat16().float(), codes, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(swapped_prediction(scores.bfloat16(), codes, 0.1), expected, rtol=0, atol=0)
