"""Log-sum-exp in tiles is that of the whole matrix, in value and gradient, for any tile, type and bound."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from tacit.numerics import tiles
from tacit.numerics.tiles import across, between, within


def rows(n, d, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(n, d, generator=generator, dtype=dtype)).requires_grad_()


def without(likeness, hidden):
    return likeness.scatter(1, hidden, float("-inf"))


def slopes(found, wanted, inputs, seed=5):
    """Gradients of both for the same random slope."""
    slope = torch.randn(len(found), generator=torch.Generator().manual_seed(seed)).to(found.dtype)
    return [torch.autograd.grad(values, inputs, slope.to(values.dtype), retain_graph=True) for values in (found, wanted)]


@pytest.mark.parametrize("bound", [50.0, math.inf])
@pytest.mark.parametrize("tile", [1, 3, 8, 100])
def test_within_is_the_whole_matrix(monkeypatch, tile, bound):
    monkeypatch.setattr(tiles, "TILE", tile)
    x, n = rows(8, 4), 8
    myself = torch.arange(n)[:, None]
    for hidden in (myself, torch.cat([myself, (myself + 4) % n], 1)):
        found, wanted = within(x, hidden, bound), without(x @ x.T, hidden).logsumexp(1)
        torch.testing.assert_close(found, wanted)
        for mine, right in zip(*slopes(found, wanted, [x])):
            torch.testing.assert_close(mine, right)


@pytest.mark.parametrize("bound", [50.0, math.inf])
@pytest.mark.parametrize("tile", [2, 5, 100])
def test_between_and_across_are_the_whole_matrix(monkeypatch, tile, bound):
    monkeypatch.setattr(tiles, "TILE", tile)
    x, y = rows(7, 4), rows(11, 4, seed=1)
    hidden = torch.tensor([[0, 10], [3, 4], [10, 0], [5, 6], [1, 2], [9, 9], [4, 3]])
    pairs = [
        (between(x, y, bound=bound), (x @ y.T).logsumexp(1)),
        (between(x, y, hidden, bound), without(x @ y.T, hidden).logsumexp(1)),
        *zip(across(x, y, bound), ((x @ y.T).logsumexp(1), (x @ y.T).logsumexp(0))),
    ]
    for found, wanted in pairs:
        torch.testing.assert_close(found, wanted)
        for mine, right in zip(*slopes(found, wanted, [x, y])):
            torch.testing.assert_close(mine, right)


@pytest.mark.parametrize("bound", [50.0, math.inf])
def test_gradients_are_those_of_differences(monkeypatch, bound):
    monkeypatch.setattr(tiles, "TILE", 2)
    x, y, myself = rows(5, 3), rows(4, 3, seed=1), torch.arange(5)[:, None]
    assert gradcheck(lambda x: within(x, myself, bound), x)
    assert gradcheck(lambda x, y: between(x, y, myself % 4, bound), (x, y))
    assert gradcheck(lambda x, y: across(x, y, bound), (x, y))


def test_what_would_overflow_does_not():
    """At a temperature of 0.01 exponentials of products leave float32: duplicates have e^100."""
    x = 10 * torch.nn.functional.normalize(torch.randn(20, 6)).repeat(2, 1).requires_grad_()
    hidden = torch.arange(40)[:, None]
    found, wanted = within(x, hidden, 100.0), without(x @ x.T, hidden).logsumexp(1)
    torch.testing.assert_close(found, wanted)
    for mine, right in zip(*slopes(found, wanted, [x])):
        torch.testing.assert_close(mine, right, rtol=1e-4, atol=1e-4)


def test_two_rows_see_each_other_alone():
    x = torch.eye(2, requires_grad=True)
    found = within(x, torch.arange(2)[:, None], 1.0)
    assert found.tolist() == [0.0, 0.0]
    found.sum().backward()
    torch.testing.assert_close(x.grad, 2 * torch.eye(2).flip(0))


def test_products_in_bfloat16_give_float32_sums(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 16)
    x = torch.nn.functional.normalize(torch.randn(60, 32, generator=torch.Generator().manual_seed(0))).requires_grad_()
    myself = torch.arange(60)[:, None]
    found = within((x * 10**0.5).bfloat16(), myself, 10.0)
    wanted = without(10 * x @ x.T, myself).logsumexp(1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-2, atol=1e-2)
    (mine,), (right,) = slopes(found, wanted, [x])
    assert float((mine - right).norm() / right.norm()) < 1e-2


def test_memory_is_that_of_a_tile(monkeypatch):
    """No tensor larger than a tile and the rows is ever made."""
    seen, real = [], torch.Tensor.__matmul__

    def watched(a, b):
        seen.append(real(a, b))
        return seen[-1]

    monkeypatch.setattr(tiles, "TILE", 8)
    monkeypatch.setattr(torch.Tensor, "__matmul__", watched)
    x = torch.randn(50, 4, requires_grad=True)
    within(x, torch.arange(50)[:, None]).sum().backward()
    assert len(seen) > 28 and max(product.numel() for product in seen) <= 64
