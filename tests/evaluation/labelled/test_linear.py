"""The linear probe: against scikit-learn, and its edges."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tacit.errors import TacitError
from tacit.evaluation.labelled import linear as room
from tacit.evaluation.labelled.linear import PENALTIES, fit, linear, predict


def toy(n, seed, d=24, classes=5):
    """Overlapping classes, badly conditioned, with a constant feature."""
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, d, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(classes, (n,), generator=g)
    mix = torch.randn(d, d, generator=torch.Generator().manual_seed(98)) @ torch.diag(0.8 ** torch.arange(float(d)))
    x = (0.6 * centres[labels] + torch.randn(n, d, generator=g)) @ mix + 100
    return torch.cat([x, torch.full((n, 1), 3.0)], dim=1), labels


def objective(weights, bias, x, y, penalty):
    logits = torch.from_numpy(x @ weights.T + bias)
    return float(torch.nn.functional.cross_entropy(logits, y)) + penalty / 2 * float((weights**2).sum())


@pytest.mark.parametrize("penalty", [1e-4, 1e-2, 1.0])
def test_minimises_what_scikit_learn_minimises(penalty, monkeypatch):
    monkeypatch.setattr(room, "TOLERANCE", 1e-9)
    x, y = toy(600, 0)
    scaled = ((x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)).double().numpy()
    theirs = LogisticRegression(C=1 / (600 * penalty), max_iter=3000, tol=1e-8).fit(scaled, y.numpy())
    best = objective(theirs.coef_, theirs.intercept_, scaled, y, penalty)
    probe = fit(x, y, (0.3, penalty), 500)  # another head beside it changes nothing
    rotated = ((x - probe.mean) @ probe.axes).double().numpy()
    head = probe.weights[1].double().numpy()
    assert objective(head[:, :-1], head[:, -1], rotated, y, penalty) == pytest.approx(best, abs=2e-4)
    x_test, y_test = toy(500, 1)
    scaled_test = ((x_test - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)).double().numpy()
    mine = (predict(probe, x_test)[1] == y_test).float().mean()
    assert float(mine) == pytest.approx(theirs.score(scaled_test, y_test.numpy()), abs=0.01)


def test_a_path_of_a_hundred_penalties_equals_a_loop_of_scikit_learn():
    (x, y), (x_test, y_test) = toy(400, 0), toy(500, 1)
    path = tuple(np.logspace(-5, 0.5, 100))
    probe = fit(x, y, path)
    scaled, scaled_test = (((p - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)).double().numpy() for p in (x, x_test))
    rotated = ((x - probe.mean) @ probe.axes).double().numpy()
    mine, accuracy, theirs = [], (predict(probe, x_test) == y_test).float().mean(1).tolist(), []
    loop = LogisticRegression(max_iter=5000, tol=1e-7, warm_start=True)
    for head, penalty in zip(probe.weights.double().numpy(), path):
        loop.set_params(C=1 / (400 * penalty)).fit(scaled, y.numpy())
        mine.append(objective(head[:, :-1], head[:, -1], rotated, y, penalty))
        theirs.append((objective(loop.coef_, loop.intercept_, scaled, y, penalty), loop.score(scaled_test, y_test.numpy())))
    least, score = np.array(theirs).T
    np.testing.assert_allclose(mine, least, atol=2e-4)
    assert np.mean(mine) - least.mean() < 3e-5
    np.testing.assert_allclose(accuracy, score, atol=0.0061)  # three of 500 test samples
    assert abs(np.mean(accuracy) - score.mean()) < 0.001


def test_the_path_needs_far_fewer_products_than_its_heads(monkeypatch):
    x, y = toy(400, 0)
    heads = []
    gradient = room._gradient
    monkeypatch.setattr(
        room, "_gradient", lambda x, target, weights: heads.append(len(weights)) or gradient(x, target, weights)
    )
    fit(x, y, tuple(np.logspace(-5, 0, 100)))
    assert sum(heads) < 10 * 100


@pytest.mark.parametrize("path", [(1e-12,), (1e-9, *np.logspace(-4, 0, 60)), (0.1,) * 50, tuple(np.linspace(0.1, 0.11, 50))])
def test_odd_paths(path):
    x, y = toy(300, 0)
    probe, alone = fit(x, y, path), fit(x, y, path[-1:])
    assert bool(probe.weights.isfinite().all()) and len(probe.weights) == len(path)
    assert float((predict(probe, x)[-1] == predict(alone, x)[0]).float().mean()) > 0.99


def test_a_penalty_is_above_zero():
    with pytest.raises(TacitError, match=r"penalty is 0\.0; it must be above 0"):
        fit(*toy(30, 0), (0.0, 1.0))


def test_two_classes_and_a_thousand():
    g = torch.Generator().manual_seed(0)
    y = torch.arange(3000) % 1000
    x = torch.randn(1000, 32, generator=g)[y] + 0.3 * torch.randn(3000, 32, generator=g)
    assert float((predict(fit(x, y, (1e-3, 1e-2)), x) == y).float().mean()) > 0.99
    x, y = toy(500, 3, classes=2)
    scaled = ((x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)).double().numpy()
    theirs = LogisticRegression(C=1 / 5, max_iter=3000).fit(scaled, y.numpy()).predict(scaled)  # one head: λ is halved
    assert (predict(fit(x, y, (2e-2,)), x)[0].numpy() == theirs).mean() > 0.99


def test_accuracy_within_a_point_of_scikit_learn():
    (x, y), (x_test, y_test) = toy(1500, 0), toy(800, 1)
    number = linear(x, 7 * y + 2, x_test, 7 * y_test + 2)  # labels need not be 0 … C−1
    scaled, scaled_test = (((part - x.mean(0)) / x.std(0).clamp_min(1e-9)).numpy() for part in (x, x_test))
    penalty = number.protocol["penalty"]
    theirs = LogisticRegression(C=1 / (1500 * penalty), max_iter=2000).fit(scaled, y.numpy())
    assert number.value == pytest.approx(theirs.score(scaled_test, y_test.numpy()), abs=0.01)
    assert number.low < number.value < number.high
    assert penalty in PENALTIES


def test_the_test_part_chooses_nothing():
    (x, y), (x_test, y_test) = toy(300, 0), toy(200, 1)
    assert linear(x, y, x_test, y_test).protocol["penalty"] == linear(x, y, x_test, y_test.flip(0)).protocol["penalty"]


def test_noise_wants_a_strong_penalty():
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(400, 60, generator=g), torch.randint(2, (400,), generator=g)
    x[:, 0] += y  # little signal among much noise
    assert linear(x, y, x, y).protocol["penalty"] >= 1e-2


def test_wide_features_are_cut_to_principal_components(monkeypatch):
    monkeypatch.setattr(room, "COMPONENTS", 8)
    (x, y), (x_test, y_test) = toy(600, 0), toy(300, 1)
    number = linear(x, y, x_test, y_test)
    assert "first 8 of 25 principal components" in number.protocol["features"]
    assert number.value > 0.4


def test_tiles_change_nothing(monkeypatch):
    x, y = toy(200, 0)
    whole = fit(x, y, (0.1,), 50)
    monkeypatch.setattr(room, "CELLS", 70)
    torch.testing.assert_close(fit(x, y, (0.1,), 50).weights, whole.weights, atol=1e-4, rtol=1e-3)
    assert torch.equal(predict(whole, x), predict(whole, x))


def test_separable_classes_and_huge_scales():
    x = torch.eye(4).repeat(30, 1) * 1e4
    y = torch.arange(4).repeat(30)
    assert linear(x, y, x, y).value == 1.0


def test_too_few():
    x, y = toy(6, 0)
    number = linear(x, y, x, y)
    assert math.isnan(number.value) and "6 train samples are too few" in number.why


def test_constant_features_are_ignored():
    x = torch.from_numpy(np.full((40, 3), 0.1, np.float32))
    probe = fit(x, torch.arange(40) % 2, (0.1,), 20)
    assert bool(probe.weights.isfinite().all())


@pytest.mark.parametrize("penalty", [1e-3, 1e-1])
def test_more_features_than_samples(penalty, monkeypatch):
    """The smaller Gram matrix leads to the minimum that scikit-learn finds, and no square of the width is ever held."""
    monkeypatch.setattr(room, "TOLERANCE", 1e-9)
    n, d = 60, 400
    x, y = torch.randn(n, d, generator=torch.Generator().manual_seed(3)), torch.arange(n) % 3
    x[:, :3] += 2 * torch.nn.functional.one_hot(y, 3)
    x[:, 7] = 5.0
    wide = []
    eigh = torch.linalg.eigh
    monkeypatch.setattr(torch.linalg, "eigh", lambda m: wide.append(len(m)) or eigh(m))
    probe = fit(x, y, (penalty,), 500)
    assert wide == [n] and probe.axes.shape == (d, n)
    scaled = ((x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)).double().numpy()
    theirs = LogisticRegression(C=1 / (n * penalty), max_iter=3000, tol=1e-8).fit(scaled, y.numpy())
    rotated = ((x - probe.mean) @ probe.axes).double().numpy()
    head = probe.weights[0].double().numpy()
    best = objective(theirs.coef_, theirs.intercept_, scaled, y, penalty)
    assert objective(head[:, :-1], head[:, -1], rotated, y, penalty) == pytest.approx(best, abs=2e-4)
    other = torch.randn(50, d, generator=torch.Generator().manual_seed(4))
    same = ((other - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)).double().numpy()
    assert (predict(probe, other)[0].numpy() == theirs.predict(same)).mean() > 0.95
