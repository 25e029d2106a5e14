"""Objectives of contrast against naive loops, and their gradients against differences and autograd's of the loops."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from tacit.errors import TacitError
from tacit.objectives.contrast.decoupled_uniformity import decoupled_uniformity
from tacit.objectives.contrast.distance_ratio import distance_ratio
from tacit.objectives.contrast.own_negatives import own_negatives
from tacit.objectives.contrast.robust_global import robust_global


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def directions(*shape, seed=0):
    rows = drawn(*shape, seed=seed)
    return rows / rows.norm(dim=-1, keepdim=True)


def checked(function, *inputs):
    """By differences; losses are float32 inside."""
    return gradcheck(function, tuple(x.clone().requires_grad_() for x in inputs), eps=1e-2, atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize("t", [0.5, 2.0])
@pytest.mark.parametrize("n", [2, 5, 9])
def test_decoupled_uniformity_is_the_mean_over_pairs(n, t):
    x = 0.7 * drawn(n, 4)
    pairs = [math.exp(-t * float((x[i] - x[j]).square().sum())) for i in range(n) for j in range(i)]
    assert decoupled_uniformity(x, t).item() == pytest.approx(math.log(sum(pairs) / len(pairs)), abs=1e-5)
    assert checked(lambda z: decoupled_uniformity(z, t), 0.5 * directions(n, 4))


def test_views_that_agree_lie_farther_apart():
    views = directions(6, 2, 3)
    apart, together = views.mean(1), views[:, 0]
    assert decoupled_uniformity(together, 2.0) < decoupled_uniformity(apart, 2.0)
    with pytest.raises(TacitError, match="batch of 1"):
        decoupled_uniformity(views[:1, 0], 2.0)


@pytest.mark.parametrize("s", [0, 3])
@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_own_negatives_are_further_logits(s, temperature):
    query, key, shared, own = drawn(5, 4), drawn(5, 4, seed=1), directions(7, 4, seed=2), directions(5, s, 4, seed=3)
    total = 0.0
    for i in range(5):
        q, k = query[i] / query[i].norm(), key[i] / key[i].norm()
        others = [float(q @ row) for row in (*shared, *own[i])]
        total += math.log(sum(math.exp(o / temperature) for o in (float(q @ k), *others))) - float(q @ k) / temperature
    assert own_negatives(query, key, shared, own, temperature).item() == pytest.approx(total / 5, rel=1e-5)
    assert checked(lambda a, b, c: own_negatives(a, key, b, c, temperature), query, shared, own) if s else True


def test_distance_ratio_is_the_squared_share():
    anchor, same, other = drawn(6, 3), drawn(6, 3, seed=1), drawn(6, 3, seed=2)
    total = 0.0
    for a, p, n in zip(anchor, same, other):
        near, far = math.exp(math.dist(a.tolist(), p.tolist())), math.exp(math.dist(a.tolist(), n.tolist()))
        total += (near / (near + far)) ** 2 / 6
    assert distance_ratio(anchor, same, other).item() == pytest.approx(total, rel=1e-5)
    assert checked(distance_ratio, anchor, same, other)


def test_of_equal_points_the_gradient_is_finite():
    x = torch.zeros(2, 3, requires_grad=True)
    distance_ratio(x, x * 1, torch.ones(2, 3)).backward()
    assert bool(x.grad.isfinite().all())


def naive_robust(first, second, estimates, tau, share):
    """Algorithm 1 in loops, in float64: loss, new estimates, slopes."""
    z = torch.cat([first, second])
    z = z / z.norm(dim=1, keepdim=True)
    n = len(first)
    losses, means, slopes = [], torch.zeros(n), torch.zeros(n)
    for i in range(2 * n):
        s = torch.stack([z[i] @ z[j] for j in range(2 * n) if j % n != i % n])
        e = (s.detach() / tau[i % n]).exp()
        old = float(estimates[i % n])
        now = (1 - share) * old + share * float(e.mean()) if old > 0 else float(e.mean())
        losses.append((e / now * s).mean() - z[i] @ z[(i + n) % (2 * n)])
        means[i % n] += now / 2
        slopes[i % n] += (math.log(now) - float((e / now * s.detach() / tau[i % n]).mean())) / 2
    return sum(losses) / n, means, slopes


@pytest.mark.parametrize("remembered", [0.0, 3.0])
def test_robust_global_is_algorithm_1(remembered):
    tau, estimates = torch.tensor([0.2, 0.5, 0.3, 1.0, 0.4]), torch.tensor([1.0, 0.0, 2.0, 1.5, 1.0]) * remembered
    ours = [drawn(5, 4, seed=seed).requires_grad_() for seed in (0, 1)]
    theirs = [x.detach().clone().requires_grad_() for x in ours]
    found, wanted = robust_global(*ours, estimates, tau, 0.8), naive_robust(*theirs, estimates, tau, 0.8)
    assert found.loss.item() == pytest.approx(wanted[0].item(), abs=1e-5)
    torch.testing.assert_close(found.means, wanted[1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.slopes, wanted[2], rtol=1e-4, atol=1e-5)
    found.loss.backward(), wanted[0].backward()
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5)
