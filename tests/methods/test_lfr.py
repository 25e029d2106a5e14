"""LFR against layer6ai-labs/lfr@3714a54, and the loss and the choice of projectors by their definitions.

The numbers are what its own LFR, dpp and train_loop_lfr gave for these projectors and rows.
"""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tacit.method import Facts
from tacit.methods.predictive.lfr import LFR
from tacit.numerics.dpp import most_diverse
from tacit.objectives.batch_twins import batch_twins
from tacit.parts.mlp import mlp
from tests.methods.fixed import Identity, views, wave

CHOSEN, LOSS = [2, 11, 0], 5.232141017913818  # of 12 projectors
ENCODER = [1.136298656463623, 1.1397762298583984]  # norms of gradients
PREDICTORS = [
    2.270329713821411,
    1.18922758102417,
    3.206056833267212,
    3.364661455154419,
    0.2764587700366974,
    0.24056078493595123,
]


class Linear(nn.Linear):
    """An encoder of one layer."""

    dim = 6


def test_choice_loss_and_gradients_are_the_official(monkeypatch):
    pool = [mlp(6, 8, 6, norm=False) for _ in range(12)]
    method = LFR(Linear(6, 6), projectors=3, pool=4, projector_width=8)
    method.prepare(Facts("vector", 40, (6,)))
    with torch.no_grad():
        for i, one in enumerate(pool):
            for j, p in enumerate(one.parameters()):
                p.copy_(wave(*p.shape, turn=0.7 + 0.13 * j + 0.29 * i) * 0.5)
        for i, p in enumerate([*method.encoder.parameters(), *method.predictors.parameters()]):
            p.copy_(wave(*p.shape, turn=0.5 + 0.11 * i) * 0.5)
    left = iter(pool)
    monkeypatch.setattr(method, "_random", lambda: next(left))
    method.before_epoch(lambda how: wave(40, 6, turn=0.37))
    for kept, place in zip(method.projectors, CHOSEN):
        assert all(map(torch.equal, kept.parameters(), pool[place].parameters()))
    loss = method.step(views(0.9), "learner")
    loss.backward()
    assert float(loss.detach()) == pytest.approx(LOSS, rel=1e-5)
    assert [float(p.grad.norm()) for p in method.encoder.parameters()] == pytest.approx(ENCODER, rel=1e-4)
    assert [float(p.grad.norm()) for p in method.predictors.parameters()] == pytest.approx(PREDICTORS, rel=1e-4)


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
