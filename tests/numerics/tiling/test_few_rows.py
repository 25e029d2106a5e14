"""Sums over few rows at a time are those over all: value and gradient, with nothing larger than said."""

import pytest
import torch
from torch.autograd import gradcheck

from tacit.numerics.tiling import few_rows
from tacit.numerics.tiling.few_rows import summed


def drawn(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("cells", [1, 20, 33, 1 << 20])
def test_value_and_gradient_are_those_of_all_rows(monkeypatch, cells):
    monkeypatch.setattr(few_rows, "CELLS", cells)
    x, y, seen = drawn(7, 3, 0), drawn(9, 3, 1), []

    def of(rows, places):
        seen.append(len(rows))
        table = (rows @ y.T - 0.1 * places[:, None]).relu()
        return torch.stack([table.sum(), (table > 0.5).sum().double()])

    found, wanted = summed(of, x, torch.arange(7), width=9), of(x, torch.arange(7))
    torch.testing.assert_close(found, wanted)
    assert max(seen[:-1]) == min(7, max(1, cells // 9))
    for mine, right in zip(torch.autograd.grad(found[0], (x, y)), torch.autograd.grad(wanted[0], (x, y))):
        torch.testing.assert_close(mine, right)


def test_gradients_are_those_of_differences(monkeypatch):
    monkeypatch.setattr(few_rows, "CELLS", 10)
    assert gradcheck(
        lambda x, y: summed(lambda rows: (rows @ y.T).square().sum(), x, width=5), (drawn(6, 3, 2), drawn(5, 3, 3))
    )
