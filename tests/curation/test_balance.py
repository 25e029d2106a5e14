"""Budgets poured over clusters: against filling drop by drop, and down a known tree."""

import numpy as np
import pytest

from tacit.curation.balance import first_of_each, shared_down, water_filled


def drop_by_drop(sizes, target):
    """The amounts, sorted, after giving one at a time to whoever has least and could take more."""
    taken = np.zeros_like(sizes)
    for _ in range(min(target, sizes.sum())):
        open_ones = np.flatnonzero(taken < sizes)
        taken[open_ones[taken[open_ones].argmin()]] += 1
    return taken


@pytest.mark.parametrize("seed", range(20))
def test_amounts_are_those_of_filling_drop_by_drop(seed):
    draw = np.random.default_rng(seed)
    sizes, target = draw.integers(0, 30, draw.integers(1, 12)), int(draw.integers(0, 200))
    found, known = water_filled(sizes, target, seed), drop_by_drop(sizes, target)
    assert found.sum() == known.sum() == min(target, sizes.sum())
    assert (found <= sizes).all()
    assert sorted(found) == sorted(known)
    cap = found.max(initial=0)
    assert (found[sizes < cap - 1] == sizes[sizes < cap - 1]).all()  # small ones are taken whole


def test_who_gets_what_is_left_is_drawn():
    sizes = np.full(10, 5)
    drawn = {tuple(water_filled(sizes, 13, key)) for key in range(20)}
    assert len(drawn) > 10 and all(sum(one) == 13 and max(one) == 2 for one in drawn)


def test_each_branch_gets_its_share_however_many_leaves_it_has():
    """One branch of 9 leaves of 10 rows, one of a single leaf of 10: 10 go to each, not 2 to each leaf."""
    leaves = np.repeat(np.arange(10), 10)
    branches = np.array([0] * 9 + [1])
    taken = shared_down([leaves, branches], 20, seed=0)
    assert taken[9] == 10 and taken[:9].sum() == 10 and taken[:9].max() == 2
    assert sorted(shared_down([leaves], 20, seed=0)) == [2] * 10


def test_empty_clusters_get_nothing():
    assert shared_down([np.array([0, 0, 2, 2]), np.array([0, 0, 2])], 3, seed=1)[1] == 0


def test_first_of_each_takes_the_smallest_in_order():
    labels, order = np.array([1, 0, 1, 0, 1]), np.array([0.3, 0.2, 0.1, 0.9, 0.2])
    assert first_of_each(labels, order, np.array([1, 2])).tolist() == [1, 2, 4]
    assert first_of_each(labels, order, np.array([0, 1])).tolist() == [2]
