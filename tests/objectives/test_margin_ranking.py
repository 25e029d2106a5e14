"""The margin between true and corrupted triples, by hand and by a naive loop."""

import torch

from tacit.objectives.margin_ranking import margin_ranking


def test_by_a_naive_loop():
    torch.manual_seed(0)
    true, false = torch.randn(5), torch.randn(5, 3)
    terms = [max(0.0, 0.7 + float(false[i, j]) - float(true[i])) for i in range(5) for j in range(3)]
    torch.testing.assert_close(margin_ranking(true, false, 0.7), torch.tensor(sum(terms) / 15))


def test_far_enough_is_no_loss():
    assert margin_ranking(torch.tensor([3.0]), torch.tensor([[1.9, 2.0]]), 1.0) == 0
