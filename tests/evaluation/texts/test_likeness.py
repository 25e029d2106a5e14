"""Spearman of likeness: by hand, with ties, and what cannot be measured."""

import math

import numpy as np
import pytest
import torch

from tacit.evaluation.texts.likeness import likeness_numbers


def at(degrees):
    turned = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([turned.cos(), turned.sin()], 1)


def test_order_is_all_that_counts():
    angles = [0.0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    scores = np.exp(np.arange(10.0))[::-1]
    found = likeness_numbers(at([0.0] * 10), 3 * at(angles), scores)
    assert [n.name for n in found] == ["sts_spearman"] and found[0].value == pytest.approx(1.0) and found[0].low > 0.99
    swapped = scores.copy()
    swapped[[0, 9]] = swapped[[9, 0]]
    assert likeness_numbers(at([0.0] * 10), at(angles), swapped)[0].value == pytest.approx(1 - 6 * 2 * 81 / 990)


def test_scores_of_two_values_are_told_apart_too():
    found = likeness_numbers(at([0.0] * 12), at(list(range(12))), np.array([1.0] * 6 + [0.0] * 6))
    assert found[1].name == "pair_auroc" and found[1].value == 1.0


def test_too_few_and_all_alike_are_said():
    assert math.isnan(likeness_numbers(at([0.0] * 3), at([1.0, 2, 3]), np.arange(3.0))[0].value)
    assert "equally alike" in likeness_numbers(at([0.0] * 12), at([5.0] * 12), np.arange(12.0))[0].why
