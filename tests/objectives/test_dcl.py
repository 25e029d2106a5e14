"""The decoupled loss against a double loop, closed forms, what sets it apart, and one process against two."""

import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.numerics.processes import rank, size
from tacit.objectives.dcl import dcl
from tacit.objectives.nt_xent import nt_xent


def naive(first, second, temperature, sigma=math.inf):
    """Equation 6 of the paper with its weights, term by term, in float64."""
    z = torch.cat([first, second]).double()
    z = z / z.norm(dim=1, keepdim=True)
    n, losses = len(first), []
    pulls = [math.exp((z[i] @ z[i + n]).item() / sigma) for i in range(n)]  # numbers: without gradient
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        others = torch.stack([z[i] @ z[k] / temperature for k in range(2 * n) if k not in (i, partner)])
        weight = 2 - pulls[i % n] / (sum(pulls) / n)
        losses.append(torch.logsumexp(others, 0) - weight * (z[i] @ z[partner]) / temperature)
    return torch.stack(losses).mean()


def views(n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(n, d, generator=generator)
    return first, first + torch.randn(n, d, generator=generator)


@pytest.mark.parametrize("sigma", [math.inf, 0.5, 0.1])
@pytest.mark.parametrize("temperature", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(("n", "d"), [(2, 3), (7, 5), (16, 2), (12, 64)])
def test_equals_the_naive_loop_and_so_does_its_gradient(n, d, temperature, sigma):
    ours = [v.requires_grad_() for v in views(n, d)]
    theirs = [v.requires_grad_() for v in views(n, d)]
    loss, expected = dcl(*ours, temperature, sigma), naive(*theirs, temperature, sigma)
    torch.testing.assert_close(loss.double(), expected, rtol=2e-5, atol=1e-5 / temperature)
    loss.backward()
    expected.backward()
    for mine, right in zip(ours, theirs):
        torch.testing.assert_close(mine.grad, right.grad, rtol=1e-3, atol=1e-5 / temperature)


@pytest.mark.parametrize("sigma", [math.inf, 0.5])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_closed_forms(temperature, sigma):
    """Pairs that are all alike weigh 1 each: log(2n − 2) less the pair's own part, which is negative where it is strong."""
    n = 5
    apart = dcl(torch.eye(n), 3 * torch.eye(n), temperature, sigma)
    assert float(apart) == pytest.approx(math.log(2 * n - 2) - 1 / temperature, rel=1e-5)
    same = torch.ones(n, 4)
    assert float(dcl(same, same, temperature, sigma)) == pytest.approx(math.log(2 * n - 2), abs=1e-5 / temperature)


def pairs_at(*similarities):
    """Pairs of these similarities, orthogonal to all others: what they differ in is an axis of their own."""
    n, cosine = len(similarities), torch.tensor(similarities)
    first = torch.eye(n, 2 * n).requires_grad_()
    return first, torch.cat([torch.diag(cosine), torch.diag((1 - cosine**2).sqrt())], 1)


def pull(loss, similarities, temperature, *more):
    """How strongly each pair is pulled together: less the derivative by its similarity, times n."""
    first, second = pairs_at(*similarities)
    n = len(first)
    loss(first, second, temperature, *more).backward()
    return -n * first.grad[:, n:].diagonal() / second[:, n:].diagonal()


def test_the_pull_of_a_pair_does_not_fade_as_it_is_learned():
    """The coupling of negatives and positive that the paper removes: near 1 NT-Xent's pull is next to nothing."""
    temperature, near, far = 0.1, [0.99] * 4, [0.1] * 4
    for similarities in (near, far):
        torch.testing.assert_close(pull(dcl, similarities, temperature), torch.full((4,), 1 / temperature))
    assert pull(nt_xent, near, temperature).max() < 0.001 / temperature
    assert pull(nt_xent, far, temperature).min() > 0.6 / temperature


def test_weights_pull_far_pairs_harder():
    similarities, sigma = torch.tensor([0.9, 0.5, -0.2]), 0.5
    expected = 2 - 3 * torch.softmax(similarities / sigma, 0)
    torch.testing.assert_close(pull(dcl, similarities.tolist(), 0.1, sigma), expected / 0.1)


@pytest.mark.parametrize("n", [3, 7, 49])
def test_an_infinite_sigma_weighs_every_pair_exactly_one(n):
    first, second = views(n, 8)
    torch.testing.assert_close(dcl(first, second, 0.1), dcl(first, second, 0.1, 1e30), rtol=0, atol=0)


def test_a_narrow_sigma_stays_finite():
    first, second = views(8, 4)
    assert math.isfinite(float(dcl(first, second, 0.1, 1e-3)))


def test_symmetric_in_its_views_and_in_the_order_of_samples_and_blind_to_length():
    first, second = views(9, 6)
    order, scales = torch.randperm(9, generator=torch.Generator().manual_seed(1)), torch.linspace(0.1, 50, 9)[:, None]
    for sigma in (math.inf, 0.5):
        loss = dcl(first, second, 0.1, sigma)
        torch.testing.assert_close(loss, dcl(second, first, 0.1, sigma))
        torch.testing.assert_close(loss, dcl(first[order], second[order], 0.1, sigma))
        torch.testing.assert_close(loss, dcl(first * scales, second / scales, 0.1, sigma))


def test_autocast_changes_nothing():
    first, second = views(16, 32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = dcl(first, second, 0.01, 0.5)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, dcl(first, second, 0.01, 0.5))


def test_a_lone_sample_is_refused():
    with pytest.raises(TacitError, match=r"batch of 1 came .* give a --batch of 2 or more"):
        dcl(torch.ones(1, 3), torch.ones(1, 3), 0.1)


def half(n, sigma):
    """The loss and the gradients of this process's half of the samples, through a weight that processes share."""
    first, second = (v.chunk(size())[rank()] for v in views(n, 6))
    weight = torch.eye(6).requires_grad_()
    loss = dcl(first @ weight, second @ weight, 0.1, sigma)
    loss.backward()
    return float(loss.detach()), weight.grad.tolist()


@pytest.mark.parametrize("sigma", [math.inf, 0.5])
def test_two_processes_equal_one(pair, sigma):
    loss, gradient = half(10, sigma)
    found = pair.run(half, 10, sigma)
    assert sum(value for value, _ in found) / 2 == pytest.approx(loss, rel=1e-5)
    averaged = sum(torch.tensor(grad) for _, grad in found) / 2
    torch.testing.assert_close(averaged, torch.tensor(gradient), rtol=1e-4, atol=1e-5)
