"""Bags of visual words against loops."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from tacit.objectives.visual_words import bag_of_words, foreseen_bags


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


@pytest.mark.parametrize("hardness", [0.5, 5.0])
def test_a_bag_is_the_largest_share_of_each_word(hardness):
    places, words = drawn(3, 5, 4), drawn(6, 4, seed=1)
    squared = [[[float((place - word).square().sum()) for word in words] for place in image] for image in places]
    least = [min(row) for image in squared for row in image]
    nearness = 0.9 * 2.0 + 0.1 * sum(least) / len(least)
    read = bag_of_words(places, words, torch.tensor(2.0), hardness, 0.1)
    assert read.nearness.item() == pytest.approx(nearness, rel=1e-5)
    for image, found in zip(squared, read.bag):
        shares = [[math.exp(-hardness / nearness * d) for d in row] for row in image]
        best = [max(row[k] / sum(row) for row in shares) for k in range(6)]
        assert found.tolist() == pytest.approx([one / sum(best) for one in best], rel=1e-4)


def test_foreseen_bags_are_divergences_by_crop():
    features, weights, bag = drawn(2, 3, 4), drawn(6, 4, seed=1), drawn(3, 6, seed=2).softmax(1)
    for crop, told in zip(features, foreseen_bags(features, weights, bag.float())):
        total = 0.0
        for row, wanted in zip(crop, bag):
            scores = [math.exp(float(row @ weight)) for weight in weights]
            total += sum(float(p) * math.log(float(p) * sum(scores) / s) for p, s in zip(wanted, scores))
        assert told.item() == pytest.approx(total / 3, rel=1e-4)
    inputs = (features.requires_grad_(), weights.requires_grad_())
    assert gradcheck(lambda a, b: foreseen_bags(a, b, bag.float()).sum(), inputs, eps=1e-2, atol=1e-3, rtol=1e-2)
