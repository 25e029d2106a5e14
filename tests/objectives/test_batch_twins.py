"""Twins across a batch: by a naive loop, by hand, the gradient, and one process against two."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from tacit.numerics.processes import rank, size
from tacit.objectives.batch_twins import batch_twins


def drawn(n=9, d=4, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, d, generator=generator, dtype=dtype).requires_grad_() for _ in range(2)]


def naive(prediction, target, off_diagonal):
    c = cosine_similarity(prediction[:, None].double(), target[None].double(), dim=2)
    return sum((c[i, j] - 1) ** 2 if i == j else off_diagonal * c[i, j] ** 2 for i in range(len(c)) for j in range(len(c)))


@pytest.mark.parametrize("n", [1, 3, 9])
def test_against_a_loop(n):
    pair = drawn(n)
    found, wanted = batch_twins(*pair, 0.3), naive(*pair, 0.3)
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    for mine, right in zip(torch.autograd.grad(found, pair), torch.autograd.grad(wanted, pair)):
        torch.testing.assert_close(mine, right, rtol=1e-4, atol=1e-5)


def test_orthogonal_twins_cost_nothing_and_one_direction_costs_every_pair():
    assert float(batch_twins(torch.eye(5), 3 * torch.eye(5), 0.5)) == 0
    assert float(batch_twins(torch.ones(4, 3), torch.ones(4, 3), 0.5)) == pytest.approx(0.5 * 12)


def test_gradients_are_those_of_differences(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    assert torch.autograd.gradcheck(lambda a, b: batch_twins(a, b, 0.3), drawn(5, 3, torch.double))


def half():
    """The loss and the gradients of this process's half of the samples, through a weight that processes share."""
    mine = [side.detach().chunk(size())[rank()] for side in drawn(8)]
    weight = torch.eye(4).requires_grad_()
    loss = batch_twins(*(side @ weight for side in mine), 0.3)
    loss.backward()
    return float(loss.detach()), weight.grad.tolist()


def test_two_processes_equal_one(pair):
    loss, gradient = half()
    found = pair.run(half)
    assert all(value == pytest.approx(loss, rel=1e-5) for value, _ in found)
    averaged = sum(torch.tensor(grad) for _, grad in found) / 2
    torch.testing.assert_close(averaged, torch.tensor(gradient), rtol=1e-4, atol=1e-5)
