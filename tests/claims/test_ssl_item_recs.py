"""What the arms of the claim are made of: information by hand, complementary masks, an item tower that is shared."""

import math

import numpy as np
import torch

from tacit.claims.positives.ssl_item_recs import (
    Towers,
    alike,
    at_random,
    correlated,
    features,
    information,
    made,
    nothing,
    seen_again,
)


def test_information_by_hand():
    table = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2]])
    found = information(table)
    assert math.isclose(found[0, 1], math.log(2)) and abs(found[0, 2]) < 1e-12 and (found == found.T).all()


def test_masks_are_complementary_and_keep_correlated_features_together():
    related = np.array([[0, 9, 1, 1], [9, 0, 1, 1], [1, 1, 0, 9], [1, 1, 9, 0]], float)
    for key in range(20):
        for mask in (at_random, correlated):
            first, second = mask(related, key)
            assert (first ^ second).all() and len(first) == 5
        assert not any(part.any() for part in nothing(related, key))
        first = correlated(related, key)[0][1:]
        assert first.sum() == 3 and (first[:2].all() or first[2:].all())


def test_features_of_items():
    table = features(made())
    assert table.shape == (60, 5) and (table > 0).all() and len(np.unique(table[:, 0])) == 60


def test_masked_features_are_the_default():
    values = torch.ones(4, 3, dtype=torch.int64)
    view = seen_again(values, np.array([True, False, False]), 1, np.arange(4))
    assert (view[:, 0] == 0).all() and view[:, 1:].any()


def test_the_contrast_reaches_the_item_tower_alone():
    table = features(made())
    torch.manual_seed(0)
    model = Towers(40, table)
    alike(model, correlated, information(table[:, 1:]), 3, 32).backward()
    assert model.user.weight.grad is None and all(e.weight.grad is not None for e in model.feature)
