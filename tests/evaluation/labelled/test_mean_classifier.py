"""The mean classifier against scikit-learn's formula, the contrastive loss against a loop, and the bound itself."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled import mean_classifier as room
from tacit.evaluation.labelled.mean_classifier import bound, hinge, logistic, mean_classifier_accuracy, mean_classifier_gap


def blobs(n, seed, classes=5, spread=1.0, d=6):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, d, generator=torch.Generator().manual_seed(99))
    labels = (torch.rand(n, generator=g).square() * classes).long()  # classes of unequal size
    return centres[labels] + spread * torch.randn(n, d, generator=g), 10 * labels + 3


def test_losses_are_one_at_nothing_and_those_of_the_paper():
    v = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)).double()
    assert hinge(torch.zeros(2, 4)).tolist() == [1, 1] and logistic(torch.zeros(2, 1)).tolist() == [1, 1]
    assert hinge(v).tolist() == pytest.approx([max(0.0, 1 + max(-float(m) for m in row)) for row in v])
    assert logistic(v).tolist() == pytest.approx([math.log2(1 + sum(math.exp(-float(m)) for m in row)) for row in v])


def test_accuracy_is_that_of_the_largest_product_with_a_class_mean():
    (x, y), (x_test, y_test) = blobs(300, 0), blobs(200, 1)
    y_test[:7] = 77  # a class that the train part lacks
    labels = sorted(set(y.tolist()))
    means = np.stack([x[y == label].double().numpy().mean(0) for label in labels])
    guesses = [labels[int(np.argmax(means @ row.double().numpy()))] for row in x_test]
    number = mean_classifier_accuracy(x, y, x_test, y_test)
    assert number.value == pytest.approx(np.mean([g == int(t) for g, t in zip(guesses, y_test)]))
    assert number.low < number.value < number.high


@pytest.mark.parametrize(("loss", "negatives", "block"), [(hinge, 1, 1), (logistic, 1, 2), (logistic, 2, 1)])
def test_both_sides_are_what_a_loop_over_all_draws_gives(loss, negatives, block):
    """Every draw with its chance, on few samples: what sampling must come to."""
    (x, y), (x_test, y_test) = blobs(9, 2, classes=3), blobs(6, 4, classes=3)
    x, x_test = x.double() / 2, x_test.double() / 2
    y_test = y[torch.arange(6)]  # classes that the train part has
    members = {c: x[y == c] for c in y.tolist()}
    rho = {c: len(m) / 9 for c, m in members.items()}

    def blocks(c):
        """All means of `block` members drawn with replacement."""
        grid = torch.cartesian_prod(*[torch.arange(len(members[c]))] * block).view(-1, block)
        return members[c][grid].mean(1)

    un, sup, free = 0.0, 0.0, 0.0
    tuples = torch.cartesian_prod(*[torch.arange(len(rho))] * negatives).view(-1, negatives)
    order = list(rho)
    for anchor, own in zip(x_test, y_test.tolist()):
        near = blocks(own) @ anchor
        for drawn in tuples.tolist():
            others = [order[i] for i in drawn]
            chance = math.prod(rho[c] for c in others) / len(x_test)
            axes = torch.meshgrid(near, *(blocks(c) @ anchor for c in others), indexing="ij")
            un += chance * float(loss(torch.stack([axes[0] - a for a in axes[1:]], -1)).mean())
            if own not in others:
                margin = [anchor @ (members[own].mean(0) - members[c].mean(0)) for c in dict.fromkeys(others)]
                sup += chance * float(loss(torch.stack(margin)))
                free += chance
    found = bound(x, y, x_test, y_test, loss, negatives, block, draws=30_000)
    assert found.collision == pytest.approx(1 - free, rel=1e-6)
    assert found.l_un == pytest.approx(un, rel=0.01) and found.l_sup == pytest.approx(sup / free, rel=0.01)
    assert found.bound > found.l_sup


def test_tau_is_the_sum_of_squares():
    x, y = blobs(500, 0)
    shares = y.unique(return_counts=True)[1].double() / 500
    assert bound(x, y, x, y, draws=2).collision == pytest.approx(float(shares.square().sum()))


@pytest.mark.parametrize("loss", [hinge, logistic])
@pytest.mark.parametrize("negatives", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_holds_and_blocks_make_it_tighter(loss, negatives, seed):
    (x, y), (x_test, y_test) = blobs(400, 10 * seed, spread=0.3 + seed), blobs(300, 10 * seed + 1, spread=0.3 + seed)
    alone, five = (mean_classifier_gap(x, y, x_test, y_test, loss, negatives, b) for b in (1, 5))
    assert alone.value > five.value >= -0.01 and five.low > -0.05
    for number in (alone, five):
        told = number.protocol
        assert number.value == pytest.approx(told["bound"] - told["l_sup"]) and number.low <= number.value <= number.high
        assert told["loss"] == loss.__name__ and told["tau"] < 1


def test_natural_logarithms_break_it():
    """Why base 2: with ln the loss at 0 is ln 2, and what a collision costs is overestimated."""
    x, y = torch.zeros(100, 3), torch.arange(100) % 2

    def natural(margins):
        return logistic(margins) * math.log(2)

    assert mean_classifier_gap(x, y, x, y, natural).value < -0.2
    assert mean_classifier_gap(x, y, x, y, logistic).value == pytest.approx(0, abs=0.05)


def test_tiles_change_nothing(monkeypatch):
    (x, y), (x_test, y_test) = blobs(200, 0), blobs(90, 1)
    whole = bound(x, y, x_test, y_test, negatives=2, draws=4)
    monkeypatch.setattr(room, "CELLS", 1500)
    tiled = bound(x, y, x_test, y_test, negatives=2, draws=4)
    assert whole.l_un == pytest.approx(tiled.l_un) and whole.l_sup == pytest.approx(tiled.l_sup)


def test_edges():
    x, y = blobs(60, 0)
    one = mean_classifier_gap(x, torch.zeros_like(y), x, torch.zeros_like(y))
    assert math.isnan(one.value) and "two classes" in one.why
    strange = torch.where(torch.arange(60) < 5, 99, y)
    assert mean_classifier_gap(x, y, x, strange).protocol["left_out"].startswith("5 test samples")
    assert math.isnan(mean_classifier_accuracy(x, y, x[:0], y[:0]).value)
    with pytest.raises(TacitError, match="n × d and n"):
        mean_classifier_accuracy(x, y[:3], x, y)
    with pytest.raises(TacitError, match="block is 0"):
        bound(x, y, x, y, block=0)
    with pytest.raises(TacitError, match="1 train classes"):
        bound(x, torch.zeros_like(y), x, torch.zeros_like(y))
