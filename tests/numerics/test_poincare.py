"""The Poincaré ball: distances by the paper's formula, one step by torch's gradients."""

import numpy as np
import torch

from tacit.numerics.poincare import EDGE, descend, distance


def plain(u, v):
    return torch.acosh(1 + 2 * (u - v).square().sum(-1) / ((1 - u.square().sum(-1)) * (1 - v.square().sum(-1))))


def ball(n, dim=3):
    torch.manual_seed(0)
    x = torch.randn(n, dim, dtype=torch.float64)
    return x / x.norm(dim=1, keepdim=True) * torch.rand(n, 1, dtype=torch.float64) * 0.95


def test_distances():
    u, v = ball(4), ball(6)[1:]
    torch.testing.assert_close(distance(u, v), plain(u[:, None], v[None]))
    assert distance(u, u).diagonal().abs().max() < 1e-6
    out = torch.tensor([[0.5, 0.0]], dtype=torch.float64)
    np.testing.assert_allclose(float(distance(out, torch.zeros(1, 2).double())), np.log(1.5 / 0.5))


def step(points, ball_, rate=0.3, links=((0, 1), (0, 2), (3, 1)), negatives=2):
    heads, tails = (np.array(c) for c in zip(*links))
    begin = np.searchsorted(heads, np.arange(len(points) + 1))
    draws = np.linspace(0, 0.999, len(heads) * 8, dtype=np.float32).reshape(len(heads), 8)[:, ::-1].copy()
    shares = np.arange(1, len(points) + 1) / len(points)
    moved = points.numpy().copy()
    loss = descend(moved, heads, tails, begin, np.arange(len(heads)), draws, shares, negatives, len(heads), rate, ball_)
    return loss, moved, heads, tails, draws


def by_torch(points, heads, tails, draws, negatives, ball_, rate):
    """The same by autograd, its negatives drawn in a loop."""
    x = points.clone().requires_grad_()
    known = {(h, t) for h, t in zip(heads.tolist(), tails.tolist())}
    losses = []
    for i, (u, v) in enumerate(zip(heads.tolist(), tails.tolist())):
        other = [v]
        for draw in draws[i]:
            drawn = int(draw * len(points))
            if len(other) <= negatives and drawn != u and (u, drawn) not in known and drawn not in other[1:]:
                other.append(drawn)
        far = plain(x[u], x[other]) if ball_ else (x[u] - x[other]).square().sum(1)
        losses.append(-(-far).log_softmax(0)[0])
    torch.stack(losses).mean().backward()
    metric = ((1 - points.square().sum(1)) ** 2 / 4)[:, None] if ball_ else 1.0
    moved = points - rate * metric * x.grad
    return float(torch.stack(losses).detach().sum()), moved.detach()


def test_a_step_is_that_of_autograd():
    points = ball(7)
    for ball_ in (True, False):
        loss, moved, heads, tails, draws = step(points, ball_)
        wanted, to = by_torch(points, heads, tails, draws, 2, ball_, 0.3)
        np.testing.assert_allclose(loss, wanted)
        np.testing.assert_allclose(moved, to.numpy(), atol=1e-10)


def test_nothing_leaves_the_ball():
    points = ball(7)
    for _ in range(50):
        _, moved, *_ = step(points, True, rate=50.0)
        points = torch.from_numpy(moved)
    assert (points.norm(dim=1) <= 1 - EDGE + 1e-12).all() and points.isfinite().all()


def test_what_is_linked_to_everything_stays():
    points = ball(3)
    _, moved, *_ = step(points, True, links=((0, 1), (0, 2)))
    np.testing.assert_array_equal(moved, points.numpy())
