"""Folds: everybody is judged once by a model that has not seen them, and every class is learned from in every fold."""

import numpy as np
import pytest
import torch

from tacit.few_labels.folds import crossed, folds


@pytest.mark.parametrize(("labels", "count"), [([0, 0, 1, 1], 5), ([0] * 7 + [1] * 2 + [2], 5), (list(range(4)) * 9, 3)])
def test_everybody_is_judged_once_and_no_class_is_missing(labels, count):
    y = np.array(labels)
    held = folds(y, count, seed=3)
    alone = np.bincount(y)[y] == 1
    assert 2 <= len(held) <= count and np.array_equal(held.sum(0), (~alone).astype(int))
    for part in held:
        assert part.any() and set(y[~part]) == set(labels)
        counts = np.bincount(y[part & ~alone], minlength=y.max() + 1)
        assert (counts <= np.ceil(np.bincount(y) / len(held))).all()


def test_nobody_can_be_judged_where_all_classes_have_one_sample():
    assert folds(np.arange(5), 5, 0).shape == (0, 5)


def test_the_seed_draws_other_folds():
    y = np.arange(40) % 2
    assert not np.array_equal(folds(y, 4, 0), folds(y, 4, 1)) and np.array_equal(folds(y, 4, 1), folds(y, 4, 1))


def test_crossed_answers_come_in_order_and_from_the_other_folds():
    y = np.array([0, 1, 0, 1, 2, 0, 1])
    held = folds(y, 3, 0)
    seen = []

    def answer(learned, rows):
        seen.append((set(learned.tolist()), set(rows.tolist())))
        return torch.from_numpy(rows).double()[:, None]

    found = crossed(lambda rows: rows, answer, held)
    assert found.flatten().tolist() == [0, 1, 2, 3, 5, 6]  # 4 is alone in its class
    assert all(not learned & judged and learned | judged == set(range(7)) for learned, judged in seen)
