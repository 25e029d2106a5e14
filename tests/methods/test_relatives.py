"""DistMult's relatives: each score by a naive loop, and the same at either end."""

import pytest
import torch

from tacit.check import Case
from tacit.errors import TacitError
from tacit.methods import find
from tests.contracts.toys import TRIPLES, but

SMALL = but(TRIPLES, width=6)


def transe(m, e, h, r, t):
    return -sum(abs(float(e[h, k] + m.relations.weight[r, k] - e[t, k])) for k in range(6))


def bilinear(m, e, h, r, t):
    return sum(float(e[h, i] * m.relations[r, 6 * i + j] * e[t, j]) for i in range(6) for j in range(6))


def ntn(m, e, h, r, t):
    total = 0.0
    for k in range(m.slices):
        inner = e[h] @ m.tensor[r, k] @ e[t] + m.linear[r, 0, k] @ e[h] + m.linear[r, 1, k] @ e[t] + m.bias[r, k]
        total += float(m.out[r, k] * torch.tanh(inner))
    return total


@pytest.mark.parametrize(("key", "naive"), [("transe", transe), ("bilinear", bilinear), ("ntn", ntn)])
def test_scores(key, naive):
    method = Case(find(key), SMALL).first_stage().method
    triples = torch.tensor([[3, 1, 4], [1, 5, 9], [2, 0, 6]])
    with torch.no_grad():
        entities = method.encoder.table.weight
        wanted = torch.tensor([naive(method, entities, *t) for t in triples.tolist()])
        head, relation, tail = triples.unbind(1)
        own = torch.arange(3)
        torch.testing.assert_close(method.score(triples), wanted, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            method.score(triples[:, None].expand(3, 2, 3)), wanted[:, None].expand(3, 2), atol=1e-5, rtol=1e-5
        )
        torch.testing.assert_close(method.score_tails(head, relation)[own, tail], wanted, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(method.score_heads(relation, tail)[own, head], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("key", ["transe", "bilinear", "ntn"])
def test_mistakes_are_named(key):
    with pytest.raises(TacitError):
        Case(find(key), SMALL, margin=0).first_stage()
