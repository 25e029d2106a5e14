"""The triplet network: its loss as eladhoffer/TripletNet@98d80f5 puts it together, and whom it chooses as the other."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.contrast.triplet_net import TripletNet, others
from tacit.objectives.contrast.distance_ratio import distance_ratio
from tests.methods.fixed import D, Identity, N, views, wave


def test_loss_and_gradient_are_those_of_softmax_and_mean_squared_error():
    """DistanceRatioCriterion: MSE of softmax([anchor to negative, anchor to positive]) with (1, 0)."""
    anchor, same, other = (wave(N, D, turn=t) for t in (0.9, 1.7, 2.3))
    ours, theirs = (anchor.clone().requires_grad_() for _ in range(2))
    distances = torch.stack([nn.PairwiseDistance(eps=0)(theirs, other), nn.PairwiseDistance(eps=0)(theirs, same)], 1)
    target = torch.tensor([1.0, 0.0]).expand(N, 2)
    expected = nn.functional.mse_loss(distances.softmax(1), target)
    found = distance_ratio(ours, same, other)
    found.backward(), expected.backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)


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
