"""Near duplicates against comparing all pairs in order, one by one."""

import numpy as np
import pytest
import torch

from tacit.curation import duplicates as module
from tacit.curation.duplicates import near_duplicates
from tacit.curation.leaks import leaks
from tacit.numerics.exact import unit


def naive(x, threshold):
    """Keep a row unless it is near one kept before; the nearest of these otherwise."""
    cosines, kept, of = x.double() @ x.double().T, [], []
    for i in range(len(x)):
        near = [j for j in kept if cosines[i, j] >= threshold - 1e-6]
        of.append(max(near, key=lambda j: float(cosines[i, j])) if near else -1)
        kept += [i] * (not near)
    return np.array(of)


def rows(n, d, centres, noise, seed=0):
    g = torch.Generator().manual_seed(seed)
    middle = torch.randn(centres, d, generator=g)
    return unit(middle[torch.randint(centres, (n,), generator=g)] + noise * torch.randn(n, d, generator=g))


@pytest.mark.parametrize("block", [64, 4096])
@pytest.mark.parametrize(
    ("n", "d", "centres", "noise", "threshold"),
    [(700, 16, 40, 0.2, 0.95), (900, 64, 3, 0.3, 0.9), (600, 4, 1, 1.0, 0.97), (500, 200, 60, 0.05, 0.99), (5, 3, 2, 0.1, 0.5)],
)
def test_the_same_rows_are_kept_as_by_all_pairs(monkeypatch, block, n, d, centres, noise, threshold):
    monkeypatch.setattr(module, "BLOCK", block)
    x = rows(n, d, centres, noise)
    found, known = near_duplicates(x, threshold), naive(x, threshold)
    assert ((found.of < 0) == (known < 0)).all()
    assert (found.of == known).mean() > 0.999  # equal cosines may be told apart otherwise in float64
    repeated = found.of >= 0
    assert np.isnan(found.cosine[~repeated]).all()
    cosines = (x[torch.from_numpy(np.flatnonzero(repeated))] * x[torch.from_numpy(found.of[repeated])]).sum(1)
    np.testing.assert_allclose(found.cosine[repeated], cosines.numpy(), atol=1e-6)


def test_pairs_in_two_clusters_are_found(monkeypatch):
    """Clusters of a few rows cut through neighbours everywhere; SemDeDup would miss these."""
    monkeypatch.setattr(module, "PER_CLUSTER", 4)
    x = rows(600, 3, 1, 1.0, seed=1)
    assert ((near_duplicates(x, 0.98).of < 0) == (naive(x, 0.98) < 0)).all()


def test_copies_are_all_dropped_but_the_first():
    x = unit(torch.randn(1, 32)).repeat(9000, 1)
    found = near_duplicates(x, 1.0)
    assert (found.of[1:] == 0).all() and found.of[0] == -1


def test_of_a_chain_some_links_are_kept():
    """Each is near the next alone: SemDeDup would keep the first only."""
    angle = torch.arange(6) * 0.2
    x = torch.stack([angle.cos(), angle.sin()], 1)
    assert near_duplicates(x, float(np.cos(0.25))).of.tolist() == [-1, 0, -1, 2, -1, 4]


def test_rows_without_direction_repeat_nothing():
    x = torch.cat([torch.zeros(3, 8), unit(torch.ones(1, 8))])
    assert (near_duplicates(x, 0.9).of < 0).all()


def test_leaks_are_training_rows_near_a_held_out_one():
    x = unit(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.01], [0.6, 0.8]]))
    found = leaks(x, np.array([0, 1]), np.array([2, 3]), 0.99)
    assert found.of.tolist() == [2, -1, -1, -1]
    assert found.cosine[0] == pytest.approx(1, abs=1e-3)
