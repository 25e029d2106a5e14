"""Which hidden patch is which: against a loop, by gradcheck, and in cases that are known."""

import math

import pytest
import torch

from tacit.objectives.audio.among_hidden import among_hidden


def test_value_equals_the_loop():
    torch.manual_seed(0)
    predictions, patches, total = torch.randn(3, 5, 4), torch.randn(3, 5, 4), 0.0
    for n in range(3):
        for i in range(5):
            scores = [float(patches[n, i] @ predictions[n, j]) for j in range(5)]
            total += math.log(sum(map(math.exp, scores))) - scores[i]
    assert float(among_hidden(predictions, patches)) == pytest.approx(total / 15, abs=1e-5)


def test_nothing_known_costs_the_logarithm_of_their_number():
    assert float(among_hidden(torch.zeros(2, 7, 3), torch.randn(2, 7, 3))) == pytest.approx(math.log(7))


def test_patches_that_are_told_well_cost_nothing():
    patches = 10 * torch.eye(5)[None]
    assert float(among_hidden(patches, patches)) < 1e-6


def test_the_gradient_by_differences():
    torch.manual_seed(0)
    predictions, patches = torch.randn(2, 4, 3, requires_grad=True), torch.randn(2, 4, 3)
    among_hidden(predictions, patches).backward()
    step = torch.zeros_like(predictions)
    step[1, 2, 0] = 1e-2
    with torch.no_grad():
        slope = (among_hidden(predictions + step, patches) - among_hidden(predictions - step, patches)) / 2e-2
    assert float(predictions.grad[1, 2, 0]) == pytest.approx(float(slope), abs=1e-3)
