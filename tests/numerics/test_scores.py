"""Scores of pairs against loops over them, and cases with known answers."""

import pytest
import torch

from tacit.evaluation.unlabelled.scores import score_overlap
from tacit.numerics.scores import effective_negatives, overlap


def draw(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_overlap_equals_a_loop_over_pairs():
    first = draw(9, 4)
    second = first + draw(9, 4, 1)
    u, v = torch.nn.functional.normalize(first), torch.nn.functional.normalize(second)
    beaten = [float(u[i] @ v[j] > u[k] @ v[k]) for i in range(9) for j in range(9) if i != j for k in range(9)]
    assert overlap(first, second) == pytest.approx(sum(beaten) / len(beaten), abs=1e-9)


def test_overlap_is_that_of_the_panel():
    first = draw(300, 16)
    second = first + 2 * draw(300, 16, 1)
    assert overlap(first, second) == pytest.approx(score_overlap(first, second).value, abs=1e-4)


@pytest.mark.parametrize(("second", "expected"), [(draw(200, 64), 0.0), (torch.ones(200, 64), 0.5)])
def test_overlap_of_known_cases(second, expected):
    first = draw(200, 64) if expected == 0 else torch.ones(200, 64)
    assert overlap(first, second) == pytest.approx(expected, abs=1e-9)


def test_effective_negatives_equal_a_loop():
    rows = draw(12, 5)
    u = torch.nn.functional.normalize(rows).double()
    found = []
    for i in range(12):
        shares = torch.stack([(u[i] @ u[j] / 0.3).exp() for j in range(12) if j != i])
        shares = shares / shares.sum()
        found.append(torch.exp(-(shares * shares.log()).sum()))
    assert effective_negatives(rows, 0.3) == pytest.approx(float(torch.stack(found).median()), rel=1e-6)


def test_negatives_from_one_to_all():
    rows = draw(1500, 32)  # more than a tile
    assert effective_negatives(rows, 1e-4) == pytest.approx(1, abs=0.01)
    assert effective_negatives(rows, 1e4) == pytest.approx(1499, rel=1e-3)
    assert effective_negatives(torch.ones(20, 4), 0.1) == pytest.approx(19, rel=1e-6)
