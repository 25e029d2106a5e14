"""Rows that go round give what rows that are gathered give: values and gradients, of two processes and of three."""

import pytest
import torch

from tacit.numerics import tiles
from tacit.numerics.processes import gather, pass_on, rank, size
from tacit.numerics.tiling import ring


def drawn():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 12, 5, generator=generator).double()
    return x, y, torch.randn(5, 5, generator=generator).double()


def rotated():
    return [pass_on(torch.full((2,), float(rank())))().tolist(), pass_on(torch.tensor([rank()]))().tolist()]


def test_what_is_passed_on_comes_from_the_one_before(pair, trio):
    assert pair.run(rotated) == [[[1.0, 1.0], [1]], [[0.0, 0.0], [0]]]
    assert trio.run(rotated) == [[[2.0, 2.0], [2]], [[0.0, 0.0], [0]], [[1.0, 1.0], [1]]]


def gathered(x, y, hidden):
    products = x @ gather(y).T
    return products.scatter(1, hidden + rank() * len(y), float("-inf")).logsumexp(1)


def both(bound, few):
    """Values, and gradients by x, y and a weight that processes share, of the ring and of what is gathered."""
    tiles.TILE = 3
    seen, real = [], ring.add_all
    ring.add_all = lambda x, y, *more: (seen.append(len(y)), real(x, y, *more))
    x, y, weight = drawn()
    x, y = (rows.chunk(size())[rank()].clone().requires_grad_() for rows in (x, y))
    weight.requires_grad_()
    hidden = (
        torch.arange(len(x))[:, None] if few else torch.stack([torch.arange(len(x)), (torch.arange(len(x)) + 1) % len(x)], 1)
    )
    answers = []
    for way in (lambda a, b: ring.around(a, b, hidden, bound, torch.float64), lambda a, b: gathered(a, b, hidden)):
        values = way(x @ weight, y @ weight)
        slope = torch.linspace(-1, 2, len(values), dtype=torch.float64)
        answers.append([part.tolist() for part in (values, *torch.autograd.grad((values * slope).sum(), (x, y, weight)))])
    ring.add_all = real
    return answers, seen


@pytest.mark.parametrize("bound", [50.0, float("inf")])
@pytest.mark.parametrize("few", [True, False])
def test_it_is_what_is_gathered(pair, trio, bound, few):
    for processes, n in ((pair, 2), (trio, 3)):
        for (found, wanted), seen in processes.run(both, bound, few):
            for mine, right in zip(found, wanted):
                torch.testing.assert_close(torch.tensor(mine), torch.tensor(right), rtol=1e-6, atol=1e-8)
            assert seen == [12 // n] * n  # nobody ever had more rows at once than one process has
