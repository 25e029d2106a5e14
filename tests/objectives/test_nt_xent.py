"""NT-Xent against a double loop over its definition, a closed form, and one process against two."""

import math

import pytest
import torch

from tacit.numerics.processes import rank, size
from tacit.objectives.nt_xent import nt_xent


def naive(first, second, temperature):
    """Equation 1 of the paper, term by term, in float64."""
    z = torch.cat([first, second]).double()
    z = z / z.norm(dim=1, keepdim=True)
    n, losses = len(first), []
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        others = torch.stack([z[i] @ z[k] / temperature for k in range(2 * n) if k != i])
        losses.append(torch.logsumexp(others, 0) - z[i] @ z[partner] / temperature)
    return torch.stack(losses).mean()


def views(n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(n, d, generator=generator)
    return first, first + torch.randn(n, d, generator=generator)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(("n", "d"), [(2, 3), (7, 5), (16, 2), (12, 64)])
def test_equals_the_naive_loop_and_so_does_its_gradient(n, d, temperature):
    ours = [v.requires_grad_() for v in views(n, d)]
    theirs = [v.requires_grad_() for v in views(n, d)]
    loss, expected = nt_xent(*ours, temperature), naive(*theirs, temperature)
    torch.testing.assert_close(loss.double(), expected, rtol=2e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    for mine, right in zip(ours, theirs):
        torch.testing.assert_close(mine.grad, right.grad, rtol=1e-3, atol=1e-5 / temperature)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_closed_form_of_orthogonal_samples(temperature):
    """Partners equal, all others orthogonal: log(e^(1/t) + 2n − 2) − 1/t."""
    n = 5
    loss = nt_xent(torch.eye(n), 3 * torch.eye(n), temperature)
    assert float(loss) == pytest.approx(math.log(math.exp(1 / temperature) + 2 * n - 2) - 1 / temperature, rel=1e-3)


def test_closed_form_of_collapse():
    """All views alike: nobody is told apart, the logarithm of the 2n − 1 others."""
    same = torch.ones(6, 4)
    assert float(nt_xent(same, same, 0.1)) == pytest.approx(math.log(11), rel=1e-6)


def test_symmetric_in_its_views_and_in_the_order_of_samples():
    first, second = views(9, 6)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(nt_xent(first, second, 0.1), nt_xent(second, first, 0.1))
    torch.testing.assert_close(nt_xent(first, second, 0.1), nt_xent(first[order], second[order], 0.1))


def test_scale_does_not_matter():
    first, second = views(9, 6)
    scales = torch.linspace(0.1, 50, 9)[:, None]
    torch.testing.assert_close(nt_xent(first, second, 0.1), nt_xent(first * scales, second / scales, 0.1))


def test_autocast_changes_nothing():
    first, second = views(16, 32)
    with torch.autocast("cpu", torch.bfloat16):
        assert (first @ second.T).dtype == torch.bfloat16  # autocast is on
        inside = nt_xent(first, second, 0.01)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, nt_xent(first, second, 0.01))


def half(n):
    """The loss and the gradients of this process's half of the samples, through a weight that processes share."""
    first, second = (v.chunk(size())[rank()] for v in views(n, 6))
    weight = torch.eye(6).requires_grad_()
    loss = nt_xent(first @ weight, second @ weight, 0.1)
    loss.backward()
    return float(loss.detach()), weight.grad.tolist()


def test_two_processes_equal_one(pair):
    loss, gradient = half(10)
    found = pair.run(half, 10)
    assert sum(value for value, _ in found) / 2 == pytest.approx(loss, rel=1e-6)
    averaged = sum(torch.tensor(grad) for _, grad in found) / 2
    torch.testing.assert_close(averaged, torch.tensor(gradient), rtol=1e-5, atol=1e-6)
