"""Token pooling: groups of known cases, means by a loop, and ColBERT's own numbers."""

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Ragged
from tacit.numerics.exact import unit
from tacit.retrieval.token_pooling import by_kmeans, in_a_row, pooled, ward
from tests.methods.fixed import wave
from tests.retrieval.test_late_interaction import part, ragged


def test_groups_of_a_known_case():
    near = torch.eye(4)[[0, 1, 2, 0, 1, 2, 0]] + 0.01 * wave(7, 4, turn=0.9)
    for group in (ward, by_kmeans):
        found = group(unit(near), 3)
        assert len({*found[[0, 3, 6]]}) == len({*found[[1, 4]]}) == len({*found[[2, 5]]}) == 1 and len({*found}) == 3
    assert in_a_row(near, 3).tolist() == [0, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("group", [ward, by_kmeans, in_a_row])
def test_means_of_groups_stand_for_their_tokens(group):
    documents = ragged(9, 1, 4, seed=2)
    found = pooled(documents, 2, group=group)
    assert len(found.offsets) == 4 and found.offsets.diff().tolist()[1] == 1
    assert all(1 <= ours <= max(1, t // 2) for ours, t in zip(found.offsets.diff().tolist(), (9, 1, 4)))
    for i in range(3):
        rows = unit(part(documents, i))
        labels = group(rows, max(1, len(rows) // 2)) if len(rows) > 1 else np.zeros(1)
        means = {tuple(np.flatnonzero(labels == g)): rows[labels == g].mean(0) for g in {*labels}}
        in_order = [means[tokens] for tokens in sorted(means)]
        assert torch.allclose(part(found, i), torch.stack(in_order), atol=1e-6)


def test_protected_tokens_stand_first_as_they_are():
    documents = ragged(9, 2, seed=2)
    found = pooled(documents, 4, protected=1)
    assert found.offsets.tolist() == [0, 3, 5]
    for i in range(2):
        assert torch.allclose(part(found, i)[0], unit(part(documents, i)[0]), atol=1e-6)


def test_means_are_at_length_one_where_that_is_asked():
    documents = ragged(12, 8, seed=2)
    plain, long = pooled(documents, 3), pooled(documents, 3, renormalise=True)
    assert (plain.values.norm(dim=1) < 0.999).any()
    assert torch.allclose(long.values, unit(plain.values), atol=1e-6)


def test_a_factor_of_one_changes_nothing():
    documents = ragged(5, 3)
    assert pooled(documents, 1).values.equal(documents.values)
    with pytest.raises(TacitError, match="factor is 0"):
        pooled(documents, 0)
    assert isinstance(pooled(documents, 2), Ragged)


def test_means_are_those_of_colbert():
    """stanford-futuredata/ColBERT@501c29d, of which only the order differs: there tokens are shuffled."""
    found = pooled(Ragged(unit(wave(13, 5, turn=0.9)), torch.tensor([0, 9, 13])), 2)
    assert found.offsets.tolist() == [0, 4, 6]
    assert sorted(part(found, 0)[:, 0].tolist()) == pytest.approx([-0.49218, -0.42713, 0.26512, 0.38795], abs=1e-5)
    assert sorted(part(found, 1)[:, 0].tolist()) == pytest.approx([-0.45098, 0.33038], abs=1e-5)
