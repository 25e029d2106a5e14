"""Clustering: against scikit-learn and all matchings, and its edges."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from tacit.errors import TacitError
from tacit.evaluation.labelled import clustering as room
from tacit.evaluation.labelled.clustering import ari, cluster_accuracy, clustering, nmi


def blobs(n, noise, classes=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 8, generator=g)
    labels = torch.arange(n) % classes
    return centres[labels] + noise * torch.randn(n, 8, generator=g), labels


@pytest.mark.parametrize("seed", range(4))
def test_formulas_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    truth = random.integers(4, size=200)
    found = np.where(random.random(200) < 0.3 * seed, truth, random.integers(4, size=200))
    table = contingency_matrix(found, truth).astype(float)
    assert nmi(table) == pytest.approx(normalized_mutual_info_score(truth, found), abs=1e-12)
    assert ari(table) == pytest.approx(adjusted_rand_score(truth, found), abs=1e-12)
    best = max(np.mean(np.array(order)[found] == truth) for order in permutations(range(4)))
    assert cluster_accuracy(table) == pytest.approx(best)


def test_equals_scikit_learn_seed_by_seed():
    x, y = blobs(300, 0.7)
    found = [run.numpy() for run in room._clusters(torch.nn.functional.normalize(x), 4, 3)]
    accuracy, information, rand = clustering(x, 10 * y + 3, seeds=3)  # labels need not be 0 … C−1
    assert [n.name for n in (accuracy, information, rand)] == list(room.NAMES)
    assert information.value == pytest.approx(np.mean([normalized_mutual_info_score(y, run) for run in found]))
    expected = [adjusted_rand_score(y, run) for run in found]
    assert rand.value == pytest.approx(np.mean(expected))
    half = 4.302652729696142 * np.std(expected, ddof=1) / math.sqrt(3)  # the 97.5 % quantile of t with 2 degrees of freedom
    assert (rand.low, rand.high) == pytest.approx((rand.value - half, min(1.0, rand.value + half)))


def test_separated_classes_are_found_whatever_their_scale():
    x, y = blobs(200, 0.01)
    x = x * torch.linspace(0.1, 10, 200)[:, None]
    assert [n.value for n in clustering(x, y)] == pytest.approx([1.0, 1.0, 1.0])


def test_noise_is_at_chance():
    x, y = torch.randn(2000, 8, generator=torch.Generator().manual_seed(0)), torch.arange(2000) % 4
    accuracy, information, rand = clustering(x, y)
    assert accuracy.value < 0.32 and information.value < 0.02 and abs(rand.value) < 0.01


def test_same_again_and_torchs_generator_is_left_alone():
    x, y = blobs(100, 1.0)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert clustering(x, y) == clustering(x, y)
    assert torch.equal(torch.get_rng_state(), before)


def test_many_samples_are_thinned(monkeypatch):
    monkeypatch.setattr(room, "LIMIT", 50)
    x, y = blobs(100, 0.5)
    assert clustering(x, y)[0].protocol["test"] == 50


def test_edges():
    x, y = blobs(40, 1.0)
    assert all(math.isnan(n.value) and "at least two" in n.why for n in clustering(x, torch.zeros_like(y)))
    equal = clustering(torch.ones(40, 3), y)
    assert equal[0].value >= 0.25 and all(math.isfinite(n.value) for n in equal)
    alone = clustering(torch.eye(6), torch.arange(6))  # every class has a single sample
    assert [n.value for n in alone] == pytest.approx([1.0, 1.0, 1.0])
    one = clustering(x, y, seeds=1)[0]
    assert math.isnan(one.low) and one.protocol["interval"] == "none: one seed"
    with pytest.raises(TacitError, match="at least 1"):
        clustering(x, y, seeds=0)
