"""The softmax within a batch: by a naive loop, its gradient, and what the correction does."""

import math

import pytest
import torch

from tacit.numerics import tiles
from tacit.objectives.batch_softmax import batch_softmax

WHICH = torch.tensor([3, 1, 3, 7, 3])


@pytest.fixture(params=[tiles.PLAIN, 0], ids=["whole", "in tiles"], autouse=True)
def form(request, monkeypatch):
    monkeypatch.setattr("tacit.objectives.batch_softmax.PLAIN", request.param)
    monkeypatch.setattr(tiles, "TILE", 2)


def drawn(dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(5, 4, dtype=dtype), torch.randn(5, 4, dtype=dtype), torch.rand(5, dtype=dtype).log()


def test_against_a_loop():
    queries, items, log_q = drawn()
    total = 0.0
    for i in range(5):
        scores = {j: float(queries[i] @ items[j]) / 0.5 - float(log_q[j]) for j in range(5) if j == i or WHICH[j] != WHICH[i]}
        total += math.log(sum(map(math.exp, scores.values()))) - scores[i]
    torch.testing.assert_close(batch_softmax(queries, items, WHICH, log_q, 0.5), torch.tensor(total / 5))


def test_the_gradient(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    queries, items, log_q = (x.requires_grad_() for x in drawn(torch.double))
    assert torch.autograd.gradcheck(lambda q, v, p: batch_softmax(q, v, WHICH, p, 0.5), (queries, items, log_q))


def test_items_that_are_all_one_have_nothing_to_be_told_from():
    queries, items, log_q = drawn()
    loss = batch_softmax(queries.requires_grad_(), items, torch.zeros(5, dtype=torch.int64), log_q, 0.5)
    (slope,) = torch.autograd.grad(loss, queries)
    assert abs(float(loss.detach())) < 1e-6 and float(slope.abs().max()) < 1e-6


def test_the_corrected_scores_are_those_of_a_softmax_over_all_items():
    """Expected over batches drawn by q, the gradient of what is corrected pushes items down by their probability alone."""
    torch.manual_seed(1)
    q = torch.tensor([0.7, 0.2, 0.1])
    items = torch.randn(3, 4)
    which = torch.multinomial(q, 4000, replacement=True)
    query = torch.randn(1, 4)
    logits = (query @ items[which].T)[0] - q[which].log()
    chance = torch.zeros(3).index_add_(0, which, logits.softmax(0))
    torch.testing.assert_close(chance, (query @ items.T)[0].softmax(0), atol=0.05, rtol=0.1)
