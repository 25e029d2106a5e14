"""Exact neighbours: against a full sort, over tile borders, with ties and without oneself."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.numerics import topk
from tacit.numerics.topk import nearest


def naive(queries, keys, k, exclude_self=False):
    scores = queries @ keys.T
    if exclude_self:
        scores.fill_diagonal_(-torch.inf)
    ordered = scores.sort(dim=1, descending=True, stable=True)  # stable: of equal ones the first
    return ordered.values[:, :k], ordered.indices[:, :k]


@pytest.fixture(params=[[], [torch.float32], [torch.bfloat16, torch.float32]], ids=str)
def tiles(request, monkeypatch):
    """Tiles so small that every test crosses their borders, and each way to screen them."""
    monkeypatch.setattr(topk, "QUERIES", 7)
    monkeypatch.setattr(topk, "KEYS", 64)
    monkeypatch.setattr(topk, "GROUP", 3)
    monkeypatch.setattr(topk, "_screening", lambda device: request.param)


@pytest.mark.parametrize("k", [1, 5, 33, 200])
@pytest.mark.parametrize("exclude_self", [False, True])
def test_equals_a_full_sort(tiles, k, exclude_self):
    x = torch.randn(201, 9, generator=torch.Generator().manual_seed(0))
    scores, positions = nearest(x, x, k, exclude_self=exclude_self)
    expected_scores, expected = naive(x, x, k, exclude_self)
    torch.testing.assert_close(scores, expected_scores)
    assert (positions == expected).float().mean() > 0.999  # a tile's product may round otherwise
    assert not (exclude_self and (positions == torch.arange(201)[:, None]).any())


def test_of_equal_scores_the_first_wins(tiles):
    x = torch.randint(-1, 2, (150, 4), generator=torch.Generator().manual_seed(1)).float()  # products are exact
    for k in (1, 10, 40, 150):
        scores, positions = nearest(x, x, k)
        expected_scores, expected = naive(x, x, k)
        assert torch.equal(positions, expected)
        assert torch.equal(scores, expected_scores)


def test_all_equal(tiles):
    assert torch.equal(nearest(torch.ones(3, 2), torch.ones(100, 2), 4).positions, torch.arange(4).expand(3, 4))


@pytest.mark.parametrize("most", [1, 6, 64])
@pytest.mark.parametrize("apart", [1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_rows_that_hardly_differ(tiles, monkeypatch, most, apart, scale):
    """What a bound of the error keeps or gives up: no key that belongs to the best is lost."""
    monkeypatch.setattr(topk, "MOST", most)
    g = torch.Generator().manual_seed(2)
    keys = scale * (torch.randn(33, generator=g) + apart * torch.randn(300, 33, generator=g))
    queries = torch.cat([keys[:20] / scale, torch.zeros(1, 33), torch.randn(20, 33, generator=g)])
    exact = queries.double() @ keys.double().T
    scores, positions = nearest(queries, keys, 9)
    rounding = 1e-6 * queries.norm(dim=1, keepdim=True) * keys.norm(dim=1).max()
    assert torch.all((scores - exact.gather(1, positions)).abs() <= rounding)
    assert torch.all(scores >= exact.topk(9).values - rounding)
    assert all(len(set(row)) == 9 for row in positions.tolist())


def test_what_is_left_is_few():
    """Of well spread rows every tile is screened: none is left to the product of all."""
    g = torch.Generator().manual_seed(3)
    keys, queries = (torch.nn.functional.normalize(torch.randn(n, 64, generator=g)) for n in (20_000, 600))
    best = torch.empty(600, 20, dtype=torch.int64)
    for low in (torch.bfloat16, torch.float32):
        assert topk._screened(queries, keys, low, range(0, 600, topk.QUERIES), False, best) == []


def test_negative_zero_and_large_scores():
    keys = torch.tensor([[-0.0], [0.0], [-3e38], [3e38]])
    scores, positions = nearest(torch.ones(1, 1), keys, 4)
    assert positions.tolist() == [[3, 0, 1, 2]]
    assert scores[0].tolist() == pytest.approx([3e38, 0.0, 0.0, -3e38])


def test_no_queries():
    assert nearest(torch.zeros(0, 3), torch.ones(5, 3), 2).positions.shape == (0, 2)


@pytest.mark.parametrize("k", [0, 6])
def test_k_out_of_range(k):
    with pytest.raises(TacitError, match="1 to 5"):
        nearest(torch.ones(2, 3), torch.ones(5, 3), k)


def test_exclude_self_wants_the_keys():
    with pytest.raises(TacitError, match="queries to be the keys"):
        nearest(torch.ones(2, 3), torch.ones(5, 3), 2, exclude_self=True)
