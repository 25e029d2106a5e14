"""Seeds of k-means: those of greedy k-means++ in distribution, whatever is drawn at once."""

import pytest
import torch

from tacit.numerics.tiling import seeds
from tacit.numerics.tiling.seeds import plus_plus


def greedily(x, before, trials=3):
    """Who may be the next seed after these, rows that leave as little together, and how likely: by all that can be drawn."""
    nearest = torch.cdist(x, x[before]).square().min(1).values.double()
    drawn = nearest / nearest.sum()
    left = torch.minimum(nearest, torch.cdist(x, x).square().double()).sum(1).mul(1e4).round()  # two of a pair leave the same
    above = torch.tensor(1.0, dtype=torch.float64)
    for least in left[nearest > 0].unique():
        equal = left == least
        below = (above - drawn[equal].sum()).clamp(min=0)
        yield equal, float(above**trials - below**trials)
        above = below


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_seed_is_the_best_of_three_drawn_by_distance(monkeypatch, at_once):
    """Of 6 rows, all first seeds: the second and the third, though it may come from candidates that knew the first alone."""
    monkeypatch.setattr(seeds, "FEW", at_once)
    x = torch.tensor([[0.0, 0.0], [1.0, 0.5], [1.7, 2.0], [4.0, 1.0], [6.0, 0.0], [5.0, 3.0]])
    counts = torch.zeros(6, 6, 6, dtype=torch.float64)
    for key in range(6000):
        counts[tuple(plus_plus(x, 3, key).tolist())] += 1
    assert counts.sum((1, 2)).min() > 850
    for first in range(6):
        seconds = counts[first].sum(1)
        second = int(seconds.argmax())
        for before, taken in (([first], seconds), ([first, second], counts[first, second])):
            for rows, share in greedily(x, before):
                assert float(taken[rows].sum() / taken.sum()) == pytest.approx(share, abs=0.07)


def test_batches_of_candidates_reject_what_the_others_have_covered():
    """In many far groups no group gets two seeds before each has one."""
    g = torch.Generator().manual_seed(0)
    which = torch.randint(60, (3000,), generator=g)
    x = 1000 * torch.randn(60, 8, generator=g)[which] + torch.randn(3000, 8, generator=g)
    for key in range(5):
        assert len(which[plus_plus(x, 60, key)].unique()) >= 59


def test_all_rows_and_equal_rows():
    assert sorted(plus_plus(torch.randn(9, 2), 9, 0).tolist()) == list(range(9))
    found = plus_plus(torch.cat([torch.zeros(5, 2), torch.ones(1, 2)]), 4, 1)
    assert len(found.unique()) == 4 and 5 in found


@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match="1…n"):
        plus_plus(torch.randn(3, 2), k, 0)
