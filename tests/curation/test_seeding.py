"""Seeds of k-means: those of k-means++ in distribution, whatever is drawn at once."""

import pytest
import torch

from tacit.curation import seeding
from tacit.curation.seeding import plus_plus


def exact_second(x, first):
    """The probability of each row to be the second seed."""
    squares = (x - x[first]).square().sum(1).double()
    return squares / squares.sum()


def test_the_third_seed_is_drawn_by_its_distance_to_the_nearest_of_two(monkeypatch):
    """Of 6 rows, all pairs of first seeds: the third by D², though it may come from a batch that knew the first alone."""
    monkeypatch.setattr(seeding, "MOST", 8)
    x = torch.tensor([[0.0], [1.0], [1.5], [4.0], [6.0], [6.5]])
    counts = torch.zeros(6, 6, 6)
    for key in range(6000):
        counts[tuple(plus_plus(x, 3, key).tolist())] += 1
    squares = torch.cdist(x, x).square()
    for first in range(6):
        share = counts[first].sum((1,)) / counts[first].sum()
        torch.testing.assert_close(share.double(), exact_second(x, first), atol=0.06, rtol=0)
    after = counts[0, 4]
    expected = torch.minimum(squares[0], squares[4])
    torch.testing.assert_close(after / after.sum(), expected / expected.sum(), atol=0.1, rtol=0)


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
