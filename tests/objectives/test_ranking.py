"""Average precision with relevance by degree, against loops, scikit-learn and thresholds one after another."""

from itertools import pairwise

import pytest
import torch
from sklearn.metrics import average_precision_score

from tacit.objectives.dense.ranking import average_precision

SHARP = 1e-4  # at which the step is one, for scores further apart


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_the_sum_of_the_formula():
    scores, relevance, temperature = drawn(3, 6), drawn(3, 6, seed=1), 0.1
    for row in range(3):
        s, r = scores[row].tolist(), relevance[row].tolist()
        total = 0.0
        for j in range(6):
            before = [1.0 if k == j else torch.tensor((s[k] - s[j]) / temperature).sigmoid().item() for k in range(6)]
            total += sum(min(r[j], r[k]) * before[k] for k in range(6)) / sum(before)
        found = average_precision(scores[row], relevance[row], temperature).item()
        assert found == pytest.approx(total / sum(r), rel=1e-5)


def test_where_relevance_is_yes_or_no_it_is_average_precision():
    scores, relevant = drawn(5, 20), (drawn(5, 20, seed=1) < 0.3).float()
    found = average_precision(scores, relevant, SHARP)
    wanted = [average_precision_score(r.numpy(), s.numpy()) for s, r in zip(scores, relevant)]
    assert found.tolist() == pytest.approx(wanted, abs=1e-4)


def test_it_is_the_mean_over_thresholds_each_by_how_many_lie_above():
    scores, relevance = drawn(12), drawn(12, seed=1)
    edges = torch.cat([torch.zeros(1), relevance]).sort().values
    sums = torch.zeros(2)
    for low, high in pairwise(edges):
        above = relevance > (low + high) / 2
        weight = (high - low) * above.sum()
        precision = average_precision_score(above.numpy(), scores.numpy())
        sums += torch.tensor([weight * precision, weight])
    assert average_precision(scores, relevance, SHARP).item() == pytest.approx((sums[0] / sums[1]).item(), abs=1e-4)


def test_the_right_order_is_worth_1_and_any_other_less():
    relevance = drawn(4, 9)
    assert average_precision(relevance, relevance, SHARP).tolist() == pytest.approx([1.0] * 4, abs=1e-3)
    assert bool((average_precision(-relevance, relevance, SHARP) < 0.9).all())


def test_gradients_are_those_of_differences(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    scores, relevance = drawn(2, 5).double().requires_grad_(), drawn(2, 5, seed=1).double()
    assert torch.autograd.gradcheck(lambda s: average_precision(s, relevance, 0.2), scores)


def test_in_bfloat16_it_is_near_and_computed_in_float32():
    scores, relevance = drawn(3, 8), drawn(3, 8, seed=1)
    with torch.autocast("cpu", torch.bfloat16):
        found = average_precision(scores.bfloat16(), relevance, 0.2)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, average_precision(scores, relevance, 0.2), atol=1e-2, rtol=0)
