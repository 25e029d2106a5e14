"""Learnability: against scikit-learn's nearest neighbour, and features that are easy or hard to learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from tacit.errors import TacitError
from tacit.evaluation.unlabelled import learnability as room
from tacit.evaluation.unlabelled.learnability import learnability
from tacit.evaluation.unlabelled.stability import seeded_kmeans
from tacit.numerics import counter


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_scikit_learns_nearest_neighbour_on_clusters():
    x = normal(300, 8)
    u = torch.nn.functional.normalize(x)
    expected = []
    for draw in range(3):
        labels = seeded_kmeans(u, 17, counter.key("learnability", draw))[0].numpy()
        order = counter.permutation(counter.key("learnability", draw, "halves"), 300)
        known, asked = order[:150], order[150:]
        classifier = KNeighborsClassifier(1, metric="cosine").fit(u[known].numpy(), labels[known])
        expected.append(classifier.score(u[asked].numpy(), labels[asked]))
    number = learnability(x, draws=3)
    assert number.value == pytest.approx(np.mean(expected)) and number.protocol["clusters"] == 17
    assert number.low < number.value < number.high


def test_few_dimensions_are_learnt_and_noise_is_not():
    line = torch.stack([torch.linspace(0, 3, 900).cos(), torch.linspace(0, 3, 900).sin()], 1)
    assert learnability(line).value > 0.95
    assert learnability(normal(900, 256)).value < 0.4


def test_same_again_and_thinned(monkeypatch):
    x = normal(200, 6)
    before = torch.get_rng_state()
    assert learnability(x) == learnability(x)
    assert torch.equal(torch.get_rng_state(), before)
    monkeypatch.setattr(room, "LIMIT", 64)
    assert learnability(x).protocol["samples"] == 64 and learnability(x).protocol["clusters"] == 8


def test_edges():
    few = learnability(normal(15, 4))
    assert math.isnan(few.value) and "too few" in few.why
    collapsed = learnability(torch.full((60, 7), 0.3))
    assert math.isnan(collapsed.value) and "same way" in collapsed.why
    one = learnability(normal(60, 4), draws=1)
    assert math.isnan(one.low) and one.protocol["interval"] == "none: one draw"
    two_points = torch.eye(2)[torch.arange(60) % 2]
    assert 0 <= learnability(two_points).value <= 1
    with pytest.raises(TacitError, match="at least 1"):
        learnability(normal(60, 4), draws=0)
