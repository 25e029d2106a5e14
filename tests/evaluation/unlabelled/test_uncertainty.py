"""R-AUROC against scikit-learn, an uncertainty that knows all, one that knows nothing, and edges."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import uncertainty as room
from tacit.evaluation.unlabelled.uncertainty import r_auroc, r_auroc_of


def sample(n=200, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(5, (n,), generator=g)
    centres = torch.randn(5, 8, generator=torch.Generator().manual_seed(7))
    return centres[y] + 1.2 * torch.randn(n, 8, generator=g), y


def correct(x, y):
    u = torch.nn.functional.normalize(x.double())
    return (y[(u @ u.T).fill_diagonal_(-2).argmax(1)] == y).numpy()


def test_it_is_scikit_learns_auroc_of_the_length():
    x, y = sample()
    right = correct(x, y)
    number = r_auroc(x, 3 * y + 1)
    assert number.value == pytest.approx(roc_auc_score(right, x.double().norm(dim=1).numpy()))
    assert number.protocol["recall_at_1"] == pytest.approx(right.mean())
    assert number.low < number.value < number.high and "length" in number.protocol["uncertainty"]


def test_an_uncertainty_that_knows_and_others():
    x, y = sample()
    wrong = torch.from_numpy(~correct(x, y)).double()
    knows = r_auroc_of(x, y, wrong, "oracle")
    assert knows.value == 1 and math.isnan(knows.low) and knows.protocol["interval"].startswith("none")
    assert r_auroc_of(x, y, -wrong, "oracle reversed").value == 0
    assert r_auroc_of(x, y, torch.zeros(200), "constant").value == 0.5
    chance = r_auroc_of(x, y, torch.from_numpy(np.random.default_rng(0).random(200)), "random")
    assert chance.low < 0.5 < chance.high


def test_a_copy_is_a_neighbour_but_never_the_sample_itself():
    x, y = sample(50)
    twice, labels = torch.cat([x, x]), torch.cat([y, 9 + y])  # the copy is of another class: all are wrong
    number = r_auroc(twice, labels)
    assert math.isnan(number.value) and "0 of 100" in number.why


def test_edges(monkeypatch):
    x, y = sample()
    same_length = r_auroc(torch.nn.functional.normalize(x), y)
    assert math.isnan(same_length.value) and "same length" in same_length.why
    one_class = r_auroc(x, torch.zeros_like(y))
    assert math.isnan(one_class.value) and "2 wrong" in one_class.why
    assert "at least 2" in r_auroc_of(x[:1], y[:1], torch.zeros(1), "none").why
    with pytest.raises(TacitError, match="one of each"):
        r_auroc_of(x, y, torch.zeros(3), "too few")
    monkeypatch.setattr(room, "LIMIT", 100)
    assert r_auroc(x, y).protocol["drawn_from"] == 200
