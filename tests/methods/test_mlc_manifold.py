"""MLC, of which no code was to be had: its loss by the formulas of the paper, group by group."""

import pytest
import torch

from tacit.methods.clustering.mlc_manifold import MLC
from tacit.numerics.exact import unit
from tacit.numerics.sinkhorn import doubly_stochastic
from tests.methods.fixed import Identity, N, views


@pytest.fixture
def method():
    torch.manual_seed(0)
    return MLC(Identity(), dim=4, hidden=5, warm_up=0.5).eval()


def codes(method, batch):
    return [unit(method.feature_head(view)) for view in batch], [unit(method.cluster_head(view)) for view in batch]


def log_det(z, factor):
    return torch.logdet(torch.eye(z.shape[1]) + factor * z.T @ z)


def test_the_rate_of_all_is_large_and_that_of_each_column_small(method):
    batch, method.progress = views(0.9, 1.7), 0.6
    z, c = codes(method, batch)
    among = sum(doubly_stochastic(one @ one.T, 0.175) for one in c) / 2
    mean = unit(sum(z))
    wanted = sum(log_det(mean * column[:, None].sqrt(), 4 / 0.1) for column in among.T) / N
    terms = method.step(batch)
    (spread, by), (gathered, times) = terms["rate"], terms["group_rate"]
    torch.testing.assert_close(by * spread, -log_det(mean, 4 / (N * 0.1)))
    torch.testing.assert_close(times * gathered, wanted)


def test_at_first_means_are_spread_and_looks_agree_up_to_sign(method):
    batch, method.progress = views(0.9, 1.7), 0.5
    (first, second), _ = codes(method, batch)
    (spread, by), (agreed, weight), (_, nothing) = method.step(batch).values()
    torch.testing.assert_close(by * spread, -log_det((first + second) / 2, 4 / (N * 0.1)))
    torch.testing.assert_close(agreed, torch.stack([(a @ b).abs() for a, b in zip(first, second)]).mean())
    assert (weight, nothing) == (-100.0, 0.0)


def test_the_second_head_begins_as_a_copy(method):
    for progress, alike in ((0.6, False), (0.5, True)):
        method.progress = progress
        method.after_step(views(0.9, 1.7))
        pairs = zip(method.feature_head.state_dict().values(), method.cluster_head.state_dict().values())
        assert all(torch.equal(a, b) for a, b in pairs) == alike
    assert method.renewed == [method.cluster_head] and method.represent(views(0.9)).shape == (N, 4)
