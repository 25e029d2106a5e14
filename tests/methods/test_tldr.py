"""TLDR against naver/tldr@bcbd043: the numbers are what its module gave on these tensors."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Facts
from tacit.methods.decorrelation.tldr import TLDR
from tests.methods.fixed import D, fill, matrix_gradients, views, wave


class Linear(nn.Linear):
    """A linear encoder of 4 numbers."""

    def __init__(self):
        super().__init__(D, 4)
        self.dim = 4


def test_loss_and_gradient_are_the_official():
    method = TLDR(Linear(), dim=7)
    fill(method.parameters())
    loss = method.step(views(0.9, 1.7))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.22535703, rel=1e-5)
    assert matrix_gradients(method) == pytest.approx([5.6238227, 2.2428048, 1.3506615, 0.7274674], rel=1e-4)


def seen(rows: torch.Tensor, neighbours: int) -> TLDR:
    """A method that has looked at these samples."""
    method = TLDR(Linear(), neighbours=neighbours, dim=7)
    method.prepare(Facts("vector", len(rows), (D,)))
    return method


def test_partners_are_the_nearest_by_cosine_and_never_oneself():
    rows = wave(9, D, turn=1.3)
    rows[4] = 3 * rows[2]  # longer rows have larger inner products, and equal directions are found first
    plan = seen(rows, 3).before_epoch(lambda how: rows)
    cosine = torch.nn.functional.cosine_similarity(rows[:, None], rows[None], dim=2).fill_diagonal_(-2)
    assert plan.partners.sort(dim=1).values.equal(cosine.topk(3).indices.sort(dim=1).values)
    assert plan.partners[4, 0] == 2 and plan.partners[2, 0] == 4


def test_neighbours_are_sought_once():
    rows = wave(9, D, turn=1.3)
    method = seen(rows, 2)
    first = method.before_epoch(lambda how: rows).partners.clone()
    assert method.before_epoch(lambda how: pytest.fail("sought again")).partners.equal(first)


def test_more_neighbours_than_samples_are_named():
    with pytest.raises(TacitError, match="9 neighbours"):
        seen(wave(9, D, turn=1.3), 9)
