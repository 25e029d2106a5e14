"""Coding rates against their formulas, sample by sample and group by group."""

import math

import pytest
import torch

from tacit.numerics.exact import unit
from tacit.objectives.rates.coding_rate import coding_length, coding_rate, group_rate
from tests.methods.fixed import wave

Z = unit(wave(9, 4, turn=2.3))
SHARES = wave(9, 3, turn=1.1).abs()


def test_the_rate_is_the_logarithm_of_a_determinant():
    scatter = sum(torch.outer(z, z) for z in Z)
    wanted = torch.logdet(torch.eye(4) + 4 / (9 * 0.1) * scatter) / 2
    torch.testing.assert_close(coding_rate(Z, 0.1), wanted)


def test_groups_are_summed_by_their_sizes():
    sizes = SHARES.sum(0)
    wanted = 0.0
    for column, size in zip(SHARES.T, sizes):
        scatter = sum(share * torch.outer(z, z) for share, z in zip(column, Z))
        wanted += size / (2 * 9) * torch.logdet(torch.eye(4) + 4 / (size * 0.1) * scatter)
    torch.testing.assert_close(group_rate(Z, SHARES, sizes, 0.1), wanted)


def test_one_group_of_all_has_the_rate_of_all_and_the_gradient_too():
    whole, grouped = (Z.clone().requires_grad_() for _ in range(2))
    coding_rate(whole, 0.1).backward()
    group_rate(grouped, torch.ones(9, 1), torch.tensor([9.0]), 0.1).backward()
    torch.testing.assert_close(whole.grad, grouped.grad)


def test_orthogonal_groups_leave_nothing_to_be_told_but_their_directions():
    """Three directions, one for each group: the whole takes more than the parts."""
    z, members = torch.eye(3).repeat(4, 1), torch.eye(3).repeat(4, 1)
    parts = group_rate(z, members, members.sum(0), 0.1)
    assert float(parts) == pytest.approx(math.log(1 + 3 / 0.1) / 2, rel=1e-5)
    assert float(coding_rate(z, 0.1)) == pytest.approx(3 * math.log(1 + 1 / 0.1) / 2, rel=1e-5)


def test_the_length_is_least_for_the_groups_that_there_are():
    turns = torch.tensor([0, 1, 2]).repeat_interleave(20)
    z = unit(torch.eye(12)[4 * turns + torch.arange(60) % 2] + 0.05 * wave(60, 12, turn=0.7))
    halves, split = (turns > 0).long(), 2 * turns + (torch.arange(60) % 20 >= 10).long()
    lengths = [coding_length(z, labels, 0.1) for labels in (halves, turns, split)]
    assert min(lengths) == lengths[1]
