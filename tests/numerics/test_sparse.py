"""Compressed rows are what whole features are."""

import torch

from tacit.numerics.sparse import FEW, compressed, dense, dropout, with_values


def few(n: int = 6, features: int = 40) -> torch.Tensor:
    x = torch.zeros(n, features)
    x[torch.arange(n), torch.arange(n) * 3] = torch.arange(1.0, n + 1)
    return x


def test_few_entries_are_compressed_and_come_back():
    held = compressed(few())
    assert held.layout == torch.sparse_csr
    torch.testing.assert_close(dense(held), few())


def test_many_entries_stay_as_they_are():
    x = torch.ones(4, round(1 / FEW))
    assert compressed(x) is x
    assert dense(x) is x


def test_other_values_stand_in_the_same_places():
    held = compressed(few())
    torch.testing.assert_close(dense(with_values(held, -held.values())), -few())


def test_dropout_of_compressed_rows_drops_what_is_held_and_keeps_the_mean():
    x = torch.zeros(500, 100)
    x[:, 3] = 2.0
    found = dense(dropout(compressed(x), 0.25, training=True))
    torch.testing.assert_close(found[:, 3].unique(), torch.tensor([0.0, 2 / 0.75]))
    assert abs(found[:, 3].mean() - 2.0) < 0.2
    found[:, 3] = 0
    assert not found.any()


def test_nothing_is_dropped_outside_training():
    for x in (few(), compressed(few())):
        torch.testing.assert_close(dense(dropout(x, 0.5, training=False)), few())
