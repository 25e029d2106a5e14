"""The threshold: against brute force, and what it promises, over many draws."""

import math

import numpy as np
import pytest
import torch

from tacit.few_labels.abstention import threshold


def brute(confidence, right, wanted):
    """The least of all confidences that keep the rule."""
    kept = [c for c in confidence if ((confidence >= c) & ~right).sum() + 1 <= wanted * ((confidence >= c).sum() + 1)]
    return min(kept) if kept else math.inf


@pytest.mark.parametrize("wanted", [0.02, 0.05, 0.2, 0.5])
def test_it_is_the_least_that_keeps_the_rule(wanted):
    generator = np.random.default_rng(1)
    for _ in range(20):
        confidence = generator.uniform(size=80).round(2)  # with equal ones
        right = generator.uniform(size=80) < confidence
        found = threshold(torch.from_numpy(confidence), torch.from_numpy(right), wanted)
        expected = brute(confidence, right, wanted)
        assert found == (0.0 if expected == confidence.min() else expected)


def test_all_or_nothing():
    confidence, right = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, True, False])
    assert threshold(confidence, right, 1.0) == 0.0
    assert threshold(confidence, right, 0.05) == math.inf  # two right answers do not show that one in twenty is wrong
    assert threshold(torch.full((30,), 0.9), torch.ones(30, dtype=torch.bool), 0.05) == 0.0


def test_the_error_of_those_answered_is_what_was_wanted():
    """Over draws of 200 labels whose confidence is right: on others, as many are wrong as was wanted and no more."""
    generator = np.random.default_rng(0)
    others = generator.uniform(0.4, 1, 20_000)
    truth = generator.uniform(size=20_000) < others
    errors, answered = [], []
    for _ in range(200):
        confidence = generator.uniform(0.4, 1, 200)
        right = generator.uniform(size=200) < confidence
        kept = others >= threshold(torch.from_numpy(confidence), torch.from_numpy(right), 0.1)
        errors.append((kept & ~truth).sum())
        answered.append(kept.sum())
    assert 0.07 < np.sum(errors) / np.sum(answered) < 0.105
    assert np.mean(answered) / 20_000 > 0.2
