"""LFR: the loss and the choice of projectors by their definitions."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tacit.method import Facts
from tacit.methods.predictive.lfr import LFR
from tacit.numerics.dpp import most_diverse
from tacit.objectives.batch_twins import batch_twins
from tests.methods.fixed import Identity, views, wave


def test_the_loss_is_its_definition():
    p, z = wave(8, 6, turn=0.9), wave(8, 6, turn=1.7)
    c = F.cosine_similarity(p[:, None], z[None], dim=2)
    by_hand = sum((c[i, j] - 1) ** 2 if i == j else 0.01 * c[i, j] ** 2 for i in range(8) for j in range(8))
    assert float(batch_twins(p, z, 0.01)) == pytest.approx(float(by_hand), rel=1e-5)


def test_the_greedy_choice_adds_most_to_the_determinant():
    rows = np.random.default_rng(0).normal(size=(7, 5))
    kernel = rows @ rows.T
    chosen = most_diverse(kernel, 4)
    for size in range(1, 5):
        before = chosen[: size - 1]
        best = max(set(range(7)) - set(before), key=lambda i: np.linalg.det(kernel[np.ix_([*before, i], [*before, i])]))
        assert chosen[size - 1] == best
    assert len(most_diverse(np.ones((4, 4)), 3)) == 1


def test_projectors_are_chosen_once_and_never_learn():
    torch.manual_seed(0)
    method = LFR(Identity(), projectors=3, pool=4, projector_width=8)
    method.prepare(Facts("vector", 40, (6,)))
    before = [p.clone() for p in method.projectors.parameters()]
    rows = torch.randn(40, 6)
    method.before_epoch(lambda how: rows)
    after = [p.clone() for p in method.projectors.parameters()]
    assert bool(method.settled) and not any(map(torch.equal, before, after))
    method.before_epoch(lambda how: rows)
    assert all(map(torch.equal, after, method.projectors.parameters()))
    loss = method.step(views(0.9), "predictor")
    loss.backward()
    assert all(p.grad is None for p in method.projectors.parameters())
    one = [batch_twins(p(v), q(v), 0.01) for p, q in zip(method.predictors, method.projectors) for v in views(0.9)]
    assert float(loss.detach()) == pytest.approx(float(sum(one).detach()) / 3, rel=1e-5)
    assert not any(torch.equal(a, b) for a, b in itertools.combinations([p for p in after if p.ndim == 2][::2], 2))
