"""Tolerance against all pairs, its interval, and the share of the gradient against autograd."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import tolerance as room
from tacit.evaluation.unlabelled.tolerance import relative_penalties, tolerance


def sample(n, seed, noise=1.0, classes=4):
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (n,), generator=g)
    centres = torch.randn(classes, 6, generator=torch.Generator().manual_seed(99))
    return centres[labels] + noise * torch.randn(n, 6, generator=g), labels


def test_it_is_the_mean_over_all_pairs_of_a_class():
    x, y = sample(60, 0)
    u = torch.nn.functional.normalize(x.double())
    found = [float(u[i] @ u[j]) for i in range(60) for j in range(i) if y[i] == y[j]]
    number = tolerance(x, 10 * y + 3)  # labels need not be 0 … C−1
    assert number.value == pytest.approx(np.mean(found), rel=1e-6)
    assert number.protocol["pairs"] == len(found) and number.low < number.value < number.high


def test_interval_holds_the_value_of_a_large_sample():
    truth = tolerance(*sample(20000, 1)).value
    numbers = [tolerance(*sample(200, seed)) for seed in range(2, 102)]
    assert sum(n.low <= truth <= n.high for n in numbers) >= 88


def test_edges():
    alone = tolerance(torch.eye(5), torch.arange(5))
    assert math.isnan(alone.value) and "no two" in alone.why
    collapsed = tolerance(torch.ones(20, 4), torch.arange(20) % 3)
    assert collapsed.value == pytest.approx(1) and math.isnan(collapsed.low) and "none" in collapsed.protocol["interval"]
    one_class = tolerance(sample(50, 0)[0], torch.zeros(50, dtype=torch.int64))
    assert one_class.protocol["classes"] == 1 and math.isfinite(one_class.value)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_penalties_are_shares_of_the_gradient(temperature):
    x, _ = sample(12, 0)
    u = torch.nn.functional.normalize(x.double())
    expected = []
    for anchor in range(12):
        scores = (u @ u[anchor]).requires_grad_()
        others = torch.arange(12) != anchor
        loss = torch.logsumexp(scores[others] / temperature, 0)  # the part of the loss that pushes
        push = torch.autograd.grad(loss, scores)[0][others]
        hardest = (u @ u[anchor])[others].argsort(descending=True)
        expected.append([float((push / push.sum())[hardest[:k]].sum()) for k in (1, 3, 11)])
    found = relative_penalties(x, [temperature], (1, 3, 11))
    assert found.shape == (1, 3)
    assert found[0] == pytest.approx(np.mean(expected, axis=0), rel=1e-4)


def test_low_temperature_looks_at_the_hardest_and_high_at_all_alike(monkeypatch):
    monkeypatch.setattr(room, "CELLS", 700)  # several tiles
    x, _ = sample(101, 0)
    found = relative_penalties(x, [1e-4, 0.1, 1.0, 1e4], (1, 10, 100))
    assert (np.diff(found[:, 0]) < 0).all() and found[0, 0] > 0.9
    assert found[:, 2] == pytest.approx(1.0, abs=1e-5)
    assert found[-1] == pytest.approx([0.01, 0.1, 1.0], rel=1e-3)


@pytest.mark.parametrize(("temperatures", "nearest"), [([0.1], (0,)), ([0.1], (12,)), ([0.1], ()), ([0.0], (1,))])
def test_mistakes(temperatures, nearest):
    with pytest.raises(TacitError, match="must"):
        relative_penalties(sample(12, 0)[0], temperatures, nearest)
