"""The band of false negatives: by value and by gradient."""

import torch
from torch.autograd import gradcheck

from tacit.objectives.text.margin_band import margin_band


def test_it_equals_a_naive_loop():
    torch.manual_seed(0)
    cosines, own = (
        torch.rand(4, 6, dtype=torch.float64, requires_grad=True),
        torch.rand(4, dtype=torch.float64, requires_grad=True),
    )
    same = torch.rand(4, 6) < 0.5
    loss = 0.0
    for i in range(4):
        for j in range(6):
            gap = float((cosines[i, j] - own[i]).detach()) if same[i, j] else 0.0
            loss += (max(gap + 0.1, 0) + max(-gap - 0.3, 0)) / 24
    assert abs(float(margin_band(cosines, own, same, 0.1, 0.3).detach()) - loss) < 1e-6
    smooth = lambda c, o: margin_band(3 * c, 3 * o, same, 0.0, 1e-9)  # noqa: E731  # |δ|, whose kinks lie far from these values
    assert gradcheck(smooth, (cosines, own), eps=1e-3, atol=1e-3, rtol=1e-2)


def test_within_the_band_nothing_is_lost():
    same = torch.ones(1, 2, dtype=torch.bool)
    assert float(margin_band(torch.tensor([[0.5, 0.7]]), torch.tensor([0.8]), same, 0.05, 0.4)) == 0
