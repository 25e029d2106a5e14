"""Choosing without labels: ranks, their mean, and how far they agree."""

import math

import numpy as np
import pytest

from tacit.errors import TacitError
from tacit.evaluation.choosing import choose, goodness, kendalls_w, mean_rank, ranks


def test_ranks_share_ties_and_put_nan_last():
    assert ranks(np.array([3.0, 1.0, 3.0, np.nan])).tolist() == [3.5, 2.0, 3.5, 1.0]


def test_lower_is_better_where_the_meaning_says_so_and_alpha_is_best_at_one():
    assert goodness("alignment", np.array([1.0, 2.0])).tolist() == [-1, -2]
    assert goodness("rankme", np.array([1.0, 2.0])).tolist() == [1, 2]
    assert goodness("alpha_req", np.array([0.5, 1.0, 3.0])).argmax() == 1


def test_kendalls_w_of_known_tables():
    same = np.array([[1, 2, 3, 4]] * 3)
    assert kendalls_w(same) == 1
    assert kendalls_w(np.array([[1, 2, 3], [3, 2, 1]])) == 0
    # Kendall's own form: 1 + (mean Spearman correlation) · (m − 1), over m
    table = np.array([[1, 2, 3, 4, 5], [2, 1, 4, 3, 5], [1, 3, 2, 5, 4]])
    pairs = [np.corrcoef(table[i], table[j])[0, 1] for i in range(3) for j in range(i)]
    assert kendalls_w(table) == pytest.approx((1 + 2 * np.mean(pairs)) / 3)
    assert math.isnan(kendalls_w(np.array([[1, 2, 3]])))


def test_the_mean_rank_knows_no_scale():
    found = {"rankme": np.array([1.0, 2.0, 300.0]), "alignment": np.array([0.9, 0.1, 0.5])}
    assert mean_rank(found).tolist() == [0.0, 0.75, 0.75]


def test_a_choice():
    measured = {
        "rankme": np.array([[5.0, 9.0, 1.0], [5.0, 7.0, 1.0]]),
        "alignment": np.array([[0.2, 0.1, 0.9], [0.1, 0.2, 0.9]]),
    }
    found = choose(["a", "b", "c"], measured)
    assert found.names == ["b", "a", "c"] and found.values["rankme"] == [8.0, 5.0, 1.0]
    assert (found.parts, found.first_in) == (2, 1) and 0.5 < found.agreement < 1
    assert "b has the best mean rank, in 1 of 2 parts" in str(found)


def test_what_could_not_be_measured_is_shown_and_ranks_last():
    found = choose(["a", "b"], {"lidar": np.array([[np.nan, 3.0]])})
    assert found.names == ["b", "a"] and "–" in str(found) and found.as_dict()["values"]["lidar"] == [3.0, None]


def test_one_is_no_comparison():
    with pytest.raises(TacitError, match="at least two"):
        choose(["a"], {"rankme": np.array([[1.0]])})


def test_of_equals_none_is_chosen():
    said = str(choose(["a", "b"], {"rankme": np.array([[1.0, 2.0]]), "alignment": np.array([[0.1, 0.2]])}))
    assert "None is ahead: a, b have the same mean rank." in said and "best" not in said
