"""Losses by crop against loops."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from tacit.objectives.by_crop import cross_entropy_by_crop, nce_by_crop, over_sizes


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def directions(*shape, seed=0):
    return torch.nn.functional.normalize(drawn(*shape, seed=seed), dim=-1)


def test_nce_by_crop_is_info_nce_of_each():
    crops, targets, negatives = directions(3, 4, 5), directions(2, 4, 5, seed=1), directions(6, 5, seed=2)
    found = nce_by_crop(crops, targets, negatives, 0.5)
    for v in range(3):
        for t in range(2):
            total = 0.0
            for crop, target in zip(crops[v], targets[t]):
                scores = [float(crop @ other) / 0.5 for other in (target, *negatives)]
                total += math.log(sum(map(math.exp, scores))) - scores[0]
            assert found[v, t].item() == pytest.approx(total / 4, rel=1e-5)
    inputs = (crops.clone().requires_grad_(), targets.clone().requires_grad_())
    assert gradcheck(lambda a, b: nce_by_crop(a, b, negatives, 0.5).sum(), inputs, eps=1e-2, atol=1e-3, rtol=1e-2)


def test_cross_entropy_by_crop_is_that_of_each():
    scores, codes = drawn(3, 4, 5), drawn(2, 4, 5, seed=1).softmax(2)
    found = cross_entropy_by_crop(scores, codes, 0.5)
    for v in range(3):
        for t in range(2):
            told = (scores[v] / 0.5).log_softmax(1)
            assert found[v, t].item() == pytest.approx(-float((codes[t] * told).sum(1).mean()), rel=1e-5)
    inputs = (scores.clone().requires_grad_(),)
    assert gradcheck(lambda a: cross_entropy_by_crop(a, codes, 0.5).sum(), inputs, eps=1e-2, atol=1e-3, rtol=1e-2)


def test_over_sizes_leaves_out_the_target_of_the_same_number():
    losses = torch.tensor([[100.0, 1.0], [3.0, 100.0], [5.0, 6.0], [7.0, 8.0]])
    assert over_sizes(losses, 2).item() == pytest.approx((2.0 + 6.5) / 2)
    assert over_sizes(losses[:2], 2).item() == 2.0
