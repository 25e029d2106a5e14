"""InfoNCE against negatives that all share: a double loop over its definition, closed forms, one process against two."""

import math

import pytest
import torch

from tacit.numerics.processes import rank, size
from tacit.objectives.info_nce import info_nce


def naive(query, key, negatives, temperature):
    """Equation 1 of the paper, term by term, in float64."""
    losses = []
    for q, k in zip(query.double(), key.double()):
        q, k = q / q.norm(), k / k.norm()
        own = q @ k / temperature
        others = torch.stack([q @ row / temperature for row in negatives.double()])
        losses.append(torch.cat([own[None], others]).logsumexp(0) - own)
    return torch.stack(losses).mean()


def drawn(n, m, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    query, key, negatives = (torch.randn(k, d, generator=generator) for k in (n, n, m))
    return query, key, torch.nn.functional.normalize(negatives)


@pytest.mark.parametrize("plain", [1024, 0])
@pytest.mark.parametrize("temperature", [0.01, 0.2, 1.0])
@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 3), (7, 20, 5), (4, 64, 2)])
def test_equals_the_naive_loop_and_so_does_its_gradient(monkeypatch, n, m, d, temperature, plain):
    monkeypatch.setattr("tacit.objectives.info_nce.PLAIN", plain)
    query, key, negatives = drawn(n, m, d)
    ours = [x.clone().requires_grad_() for x in (query, key)]
    theirs = [x.clone().requires_grad_() for x in (query, key)]
    loss, expected = info_nce(*ours, negatives, temperature), naive(*theirs, negatives, temperature)
    torch.testing.assert_close(loss.double(), expected, rtol=2e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    for mine, right in zip(ours, theirs):
        torch.testing.assert_close(mine.grad, right.grad, rtol=1e-3, atol=1e-5 / temperature)


@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_closed_forms(temperature):
    query = torch.eye(6)[:3]
    opposite, orthogonal, same = -query[:1], torch.eye(6)[3:], torch.ones(3, 6)
    own = math.exp(1 / temperature)
    found = float(info_nce(query, 3 * query, orthogonal, temperature))  # a key found among 3 that have nothing to do with it
    assert found == pytest.approx(math.log(own + 3) - 1 / temperature, rel=1e-3)
    lost = float(info_nce(same, same, same / 6**0.5, temperature))  # collapse: everything is alike
    assert lost == pytest.approx(math.log(4), rel=1e-5)
    missed = float(info_nce(query[:1], opposite, query[:1], temperature))  # the key opposite, a negative in its place
    assert missed == pytest.approx(math.log(own + 1 / own) + 1 / temperature, rel=1e-5)


def test_no_gradient_reaches_keys_made_without_and_length_does_not_matter():
    query, key, negatives = drawn(5, 9, 4)
    query.requires_grad_()
    loss = info_nce(query, key, negatives, 0.2)
    loss.backward()
    assert key.grad is None and negatives.grad is None
    scales = torch.linspace(0.1, 50, 5)[:, None]
    torch.testing.assert_close(info_nce(query * scales, key / scales, negatives, 0.2), loss)


def test_autocast_changes_nothing():
    query, key, negatives = drawn(16, 32, 8)
    with torch.autocast("cpu", torch.bfloat16):
        inside = info_nce(query, key, negatives, 0.01)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, info_nce(query, key, negatives, 0.01))


def half(n):
    """The loss and the gradients of this process's half of the queries, through a weight that processes share."""
    *pairs, negatives = drawn(n, 12, 6)
    query, key = (x.chunk(size())[rank()] for x in pairs)
    weight = torch.eye(6).requires_grad_()
    loss = info_nce(query @ weight, key, negatives, 0.2)
    loss.backward()
    return float(loss.detach()), weight.grad.tolist()


def test_two_processes_equal_one(pair):
    loss, gradient = half(10)
    found = pair.run(half, 10)
    assert sum(value for value, _ in found) / 2 == pytest.approx(loss, rel=1e-6)
    averaged = sum(torch.tensor(grad) for _, grad in found) / 2
    torch.testing.assert_close(averaged, torch.tensor(gradient), rtol=1e-5, atol=1e-6)
