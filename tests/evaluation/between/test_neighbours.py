"""Jaccard and rank similarity of neighbours: against loops over sets, and known cases."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.between import neighbours as neighbours_file
from tacit.evaluation.between.neighbours import jaccard, neighbour_jaccard, neighbour_rank, rank_similarity


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def lists(x, k):
    x = x.double().numpy()
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    scores = x @ x.T
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1)[:, :k]


def loops(x, y, k):
    """Both similarities, one query and one neighbour at a time."""
    jaccards, ranks = [], []
    for a, b in zip(lists(x, k).tolist(), lists(y, k).tolist()):
        shared = set(a) & set(b)
        jaccards.append(len(shared) / len(set(a) | set(b)))
        terms = [2 / ((1 + abs(a.index(j) - b.index(j))) * (a.index(j) + b.index(j) + 2)) for j in shared]
        ranks.append(sum(terms) / sum(1 / m for m in range(1, len(shared) + 1)) if shared else 0.0)
    return np.mean(jaccards), np.mean(ranks)


@pytest.mark.parametrize("k", [1, 10])
@pytest.mark.parametrize("cells", [300, 1 << 24])
def test_equal_loops(monkeypatch, k, cells):
    monkeypatch.setattr(neighbours_file, "CELLS", cells)
    x = normal(120, 8)
    y = torch.cat([x + 0.7 * normal(120, 8, seed=1), normal(120, 3, seed=2)], 1)
    expected = loops(x, y, k)
    for measure, value in zip((neighbour_jaccard, neighbour_rank), expected):
        number = measure(x, y, k)
        assert number.value == pytest.approx(value) and number.low < number.value < number.high
        assert number.value == pytest.approx(measure(y, x, k).value)


@pytest.mark.parametrize("measure", [neighbour_jaccard, neighbour_rank])
def test_turning_and_scaling_change_nothing(measure):
    x = normal(100, 8)
    number = measure(x, 7 * x @ torch.linalg.qr(normal(8, 8, seed=1)).Q)
    assert number.value == pytest.approx(1, abs=1e-9) and number.low == pytest.approx(1)


def test_known_lists():
    a, b = torch.tensor([[1, 2, 3]]), torch.tensor([[2, 1, 9]])
    assert float(jaccard(a, b)) == 0.5
    assert float(rank_similarity(a, b)) == pytest.approx((2 / (2 * 3) + 2 / (2 * 3)) / 1.5)
    assert float(rank_similarity(a, torch.tensor([[7, 8, 9]]))) == 0


def test_unrelated_is_near_chance():
    number = neighbour_jaccard(normal(1000, 16), normal(1000, 16, seed=1))
    assert number.value == pytest.approx(10 / 2000, abs=0.002)


def test_edges(monkeypatch):
    x = normal(6, 4)
    number = neighbour_jaccard(x, normal(6, 4, seed=1))
    assert number.value == 1 and (number.protocol["k"], number.protocol["k_clipped_from"]) == (5, 10)
    assert "equal" in neighbour_rank(x, torch.ones(6, 4)).why
    assert math.isnan(neighbour_jaccard(x[:2], x[:2]).value)
    with pytest.raises(TacitError, match="at least 1"):
        neighbour_rank(x, x, k=0)
    with pytest.raises(TacitError, match="same samples"):
        neighbour_rank(x, x[:5])
    monkeypatch.setattr(neighbours_file, "LIMIT", 50)
    assert neighbour_rank(normal(80, 4), normal(80, 4)).protocol["samples"] == 50
