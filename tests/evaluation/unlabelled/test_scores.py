"""Scores: the overlap against scikit-learn's AUROC, its interval, and the histograms against numpy."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import scores as room
from tacit.evaluation.unlabelled.scores import score_histograms, score_overlap


def views(n, seed, noise=1.0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=g) @ torch.diag(torch.linspace(0.3, 2, 6))
    return x + noise * torch.randn(n, 6, generator=g), x + noise * torch.randn(n, 6, generator=g)


def all_scores(first, second):
    u, v = (torch.nn.functional.normalize(x.double()).numpy() for x in (first, second))
    scores = u @ v.T
    return scores.diagonal(), scores[~np.eye(len(u), dtype=bool)]


@pytest.mark.parametrize("rows", [7, 256])
def test_overlap_is_one_minus_auroc(monkeypatch, rows):
    monkeypatch.setattr(room, "ROWS", rows)
    a, b = views(60, 0)
    positives, negatives = all_scores(a, b)
    truth = np.repeat([1, 0], [len(positives), len(negatives)])
    number = score_overlap(a, b)
    assert number.value == pytest.approx(1 - roc_auc_score(truth, np.concatenate([positives, negatives])), abs=1e-4)
    assert number.low < number.value < number.high and number.protocol["negatives"] == 60 * 59


def test_interval_holds_the_value_of_a_large_sample():
    truth = score_overlap(*views(4000, 1)).value
    numbers = [score_overlap(*views(150, seed)) for seed in range(2, 102)]
    assert sum(n.low <= truth <= n.high for n in numbers) >= 88


def test_influence_is_the_jackknifes():
    a, b = views(80, 3)
    value = score_overlap(a, b)
    left_out = [score_overlap(*(x[torch.arange(80) != i] for x in (a, b))).value for i in range(80)]
    error = math.sqrt(79 / 80 * np.square(left_out - np.mean(left_out)).sum())
    assert (value.high - value.low) / 2 / 1.96 == pytest.approx(error, rel=0.1)


def test_edges():
    collapsed = score_overlap(torch.full((30, 5), 0.3), torch.full((30, 5), 0.7))
    assert collapsed.value == 0.5 and math.isnan(collapsed.low)
    apart = score_overlap(torch.eye(9), torch.eye(9))
    assert apart.value == 0 and "none" in apart.protocol["interval"]
    reversed_ = score_overlap(torch.eye(9), -torch.eye(9))
    assert reversed_.value == 1
    assert "at least 2" in score_overlap(torch.ones(1, 3), torch.ones(1, 3)).why
    for measure in (score_overlap, score_histograms):
        with pytest.raises(TacitError, match="must be equal"):
            measure(torch.ones(4, 3), torch.ones(5, 3))
    with pytest.raises(TacitError, match="at least 2"):
        score_histograms(torch.ones(1, 3), torch.ones(1, 3))


def test_histograms_are_numpys():
    a, b = views(90, 0)
    found = score_histograms(a, b)
    for shares, scores in zip((found.positives, found.negatives), all_scores(a, b)):
        expected, edges = np.histogram(scores, bins=64, range=(-1, 1))
        assert shares == pytest.approx(expected / expected.sum()) and found.edges == pytest.approx(edges)


def test_perfect_scores_are_in_the_last_bin():
    found = score_histograms(torch.eye(4), torch.eye(4))
    assert found.positives[-1] == 1 and found.negatives[32] == 1


def test_many_samples_are_thinned(monkeypatch):
    monkeypatch.setattr(room, "LIMIT", 40)
    protocol = score_overlap(*views(100, 0)).protocol
    assert protocol["samples"] == 40 and protocol["drawn_from"] == 100
