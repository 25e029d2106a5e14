"""One of all candidates: a loop over its definition, tiles, closed forms."""

import math

import pytest
import torch

from tacit.objectives.among_all import among_all


def naive(query, candidates, target):
    losses = []
    for q, t in zip(query.double(), target):
        scores = torch.stack([torch.dot(q / q.norm(), c / c.norm()) for c in candidates.double()])
        losses.append(scores.logsumexp(0) - scores[t])
    return torch.stack(losses).sum()


@pytest.mark.parametrize("tile", [512, 3])
def test_equals_the_naive_loop_and_so_does_its_gradient(monkeypatch, tile):
    monkeypatch.setattr("tacit.numerics.tiles.TILE", tile)
    generator = torch.Generator().manual_seed(0)
    query, candidates = (torch.randn(n, 4, generator=generator) for n in (7, 11))
    target = torch.randint(11, (7,), generator=generator)
    ours, theirs = ([x.clone().requires_grad_() for x in (query, candidates)] for _ in range(2))
    loss, expected = among_all(*ours, target), naive(*theirs, target)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-5)
    loss.backward()
    expected.backward()
    for mine, right in zip(ours, theirs):
        torch.testing.assert_close(mine.grad, right.grad, rtol=1e-4, atol=1e-5)


def test_closed_forms():
    eye = torch.eye(5)
    assert float(among_all(3 * eye, eye, torch.arange(5))) == pytest.approx(5 * (math.log(math.e + 4) - 1), rel=1e-5)
    assert float(among_all(eye[:0], eye, torch.arange(0))) == 0
