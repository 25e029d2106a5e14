"""The N-pair loss against a naive loop."""

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn.functional import log_softmax

from tacit.numerics import tiles
from tacit.objectives.n_pair import n_pair


@pytest.fixture(params=[tiles.PLAIN, 0], ids=["whole", "in tiles"])
def form(request, monkeypatch):
    monkeypatch.setattr("tacit.objectives.n_pair.PLAIN", request.param)
    monkeypatch.setattr(tiles, "TILE", 3)


def test_against_a_loop(form):
    torch.manual_seed(0)
    targets, scores = torch.randn(2, 5, 7).softmax(2), torch.randn(3, 5, 7)
    loss = 0.0
    for a in range(2):
        for v in range(3):
            for i in range(5):
                likeness = torch.stack([4.0 * targets[a, i] @ scores[v, j] for j in range(5)])
                loss -= log_softmax(likeness, 0)[i] / 30
    torch.testing.assert_close(n_pair(targets, scores, 4.0), loss)


def test_alike_answers_are_chance(form):
    same = torch.ones(1, 8, 4)
    torch.testing.assert_close(n_pair(same / 4, same, 64.0), torch.tensor(8.0).log())


def test_gradients_are_those_of_differences(form, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    torch.manual_seed(1)
    targets, scores = (torch.randn(2, 5, 4, dtype=torch.double, requires_grad=True) for _ in range(2))
    assert gradcheck(lambda a, b: n_pair(a, b, 2.0), (targets, scores))
