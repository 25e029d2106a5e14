"""The triplet network against eladhoffer/TripletNet@98d80f5; and whom it chooses as the other.

ROUNDS are three steps of plain SGD by its own nn.TripletNet (TripletNet.lua) and nn.DistanceRatioCriterion around a small
network, executed by Torch 7 itself (torch/torch7@814ea4a, nn@8726825, nngraph@3ed3b9b, LuaJIT) in float64 on these tensors and
these others. The criterion that nn has by that name is another one and was taken out.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.triplet_net import TripletNet, others
from tacit.objectives.contrast.distance_ratio import distance_ratio
from tests.methods.fixed import D, Identity, fill, views, wave

# loss, norms of the gradients of both layers' weights and biases, and of the first layer's second row; then that row
ROUNDS = [
    (0.246288, [0.112923, 0.004053, 0.013592, 0.0], [-0.019237, 0.013917, 0.019788, -0.014582, -0.014655, 0.015634]),
    (0.244639, [0.21473, 0.014267, 0.082833, 0.0], [0.005927, -0.001768, -0.00087, 0.008504, -0.000396, -0.011858]),
    (0.253903, [0.16622, 0.002835, 0.071806, 0.0], [0.050186, -0.021825, -0.029883, 0.049831, -0.000649, -0.056564]),
]
AFTER = [-0.494914, -0.314666, 0.009503, 0.324118, 0.495654, 0.432578]
OTHERS = [2, 6, 5, 0, 7, 4, 3, 1]  # of the anchors, that the official code was given


class Small(nn.Sequential):
    """An encoder of two layers."""

    dim = 4

    def __init__(self):
        super().__init__(nn.Linear(D, 5), nn.ReLU(), nn.Linear(5, 4))


def test_three_steps_are_the_official_ones():
    method = TripletNet(Small())
    fill(method.parameters())
    for number, (loss, norms, row) in enumerate(ROUNDS):
        batch = views(0.9 + 0.1 * number, 1.7 + 0.1 * number)
        assert others(batch).tolist() == OTHERS
        found = method.step(batch)
        gradients = torch.autograd.grad(found, list(method.parameters()))
        assert found.item() == pytest.approx(loss, abs=2e-6)
        assert [float(g.norm()) for g in gradients] == pytest.approx(norms, rel=1e-3, abs=1e-6)
        torch.testing.assert_close(gradients[0][1], torch.tensor(row), rtol=1e-3, atol=2e-6)
        with torch.no_grad():
            for p, g in zip(method.parameters(), gradients):
                p -= 0.1 * g
    torch.testing.assert_close(method.encoder[0].weight[1], torch.tensor(AFTER), rtol=0, atol=1e-5)


def test_the_other_is_never_oneself_and_every_other_comes_alike():
    counts = torch.zeros(6, 6)
    for key in range(600):
        chosen = others(Batch([], torch.arange(6), key=key))
        counts[torch.arange(6), chosen] += 1
    assert (counts.diagonal() == 0).all()
    apart = counts[~torch.eye(6, dtype=torch.bool)]
    assert apart.min() > 80 and apart.max() < 165  # 120 each on average


def test_whom_a_sample_is_told_does_not_depend_on_the_batchs_order():
    index = torch.arange(8)
    told = dict(zip(index.tolist(), index[others(Batch([], index, key=3))].tolist()))
    turned = index.flip(0)
    assert told == dict(zip(turned.tolist(), turned[others(Batch([], turned, key=3))].tolist()))


def test_a_step_compares_answers_as_they_are():
    batch = views(0.9, 1.7)
    found = TripletNet(Identity()).step(batch)
    torch.testing.assert_close(found, distance_ratio(*batch, batch.views[1][others(batch)]))
    with pytest.raises(TacitError, match="batch of 1"):
        TripletNet(Identity()).step(Batch([wave(1, D, turn=0.9)] * 2, torch.arange(1)))
