from itertools import pairwise

import numpy as np
import pytest

from tacit.numerics.alias import alias, draw


def shares(table, indptr):
    """What a table draws, worked out: each entry's own part and what the others of its row leave to it."""
    found = np.zeros(len(table.keep))
    for row in range(len(indptr) - 1):
        size = indptr[row + 1] - indptr[row]
        for i in range(indptr[row], indptr[row + 1]):
            found[i] += table.keep[i] / size
            found[indptr[row] + table.other[i]] += (1 - table.keep[i]) / size
    return found


def test_each_row_draws_in_proportion_to_its_weights():
    g = np.random.default_rng(0)
    indptr = np.array([0, 5, 5, 6, 106])
    weights = g.exponential(size=106) ** 3
    weights[[0, 50]] = 0
    for_rows = np.concatenate([weights[a:b] / weights[a:b].sum() for a, b in pairwise(indptr)])
    np.testing.assert_allclose(shares(alias(weights, indptr), indptr), for_rows, atol=1e-6)


def test_a_row_without_weight_is_uniform():
    np.testing.assert_allclose(shares(alias(np.zeros(4)), [0, 4]), 0.25)


def test_draws_depend_on_their_row_alone_and_follow_the_weights():
    table = alias(np.array([1.0, 2.0, 3.0, 4.0]))
    drawn = draw(table, 7, np.arange(20_000))
    np.testing.assert_array_equal(draw(table, 7, np.array([5, 19_999])), drawn[[5, 19_999]])
    expected = np.array([1, 2, 3, 4]) * 2000
    assert (np.square(np.bincount(drawn) - expected) / expected).sum() < 16.3  # chi-square, 3 degrees, p = 0.001


@pytest.mark.parametrize("weights", [[1, -1], [1, np.nan], [np.inf, 1]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match="finite and 0 or more"):
        alias(np.array(weights))
