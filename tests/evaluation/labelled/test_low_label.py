"""The linear probe with few labels: its draws, against the probe itself, and its edges."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.labelled.low_label import balanced, low_label
from tacit.numerics import counter


def blobs(n, seed, classes=4, noise=1.0):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 8, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(classes, (n,), generator=g)
    return centres[labels] + noise * torch.randn(n, 8, generator=g), labels


def test_draws_are_as_balanced_as_they_can_be():
    labels = torch.tensor([7] * 100 + [3] * 50 + [5] * 2 + [9])
    rows = balanced(labels, 23, key=1)
    assert len(rows.unique()) == 23 and torch.equal(rows, rows.sort().values)
    counts = dict(zip(*(part.tolist() for part in labels[rows].unique(return_counts=True))))
    assert counts == {3: 10, 5: 2, 7: 10, 9: 1}
    assert labels[balanced(labels, 2, key=1)].tolist() == [7, 3, 5, 9]  # at least one of each
    assert len(balanced(labels, 1000, key=1)) == len(labels)
    assert not torch.equal(rows, balanced(labels, 23, key=2))


def test_every_sample_of_a_class_is_as_likely():
    labels = torch.arange(40) % 2
    seen = np.bincount(np.concatenate([balanced(labels, 10, key).numpy() for key in range(800)]), minlength=40)
    assert seen == pytest.approx(200, abs=60)


def test_is_the_mean_of_the_probes():
    (x, y), (x_test, y_test) = blobs(600, 0), blobs(200, 1)
    one, ten = low_label(x, 5 * y, x_test, 5 * y_test, percents=(2, 10))
    assert (one.name, ten.name) == ("low_label_2", "low_label_10")
    draws = [balanced(y, 60, counter.key("low label", 10, draw)) for draw in range(3)]
    scores = [linear(x[rows], y[rows], x_test, y_test).value for rows in draws]
    assert ten.value == pytest.approx(np.mean(scores))
    half = 4.302652729696142 * np.std(scores, ddof=1) / math.sqrt(3)  # the 97.5 % quantile of t with 2 degrees of freedom
    assert (ten.low, ten.high) == pytest.approx((ten.value - half, min(ten.value + half, 1.0)))
    assert (ten.protocol["train"], ten.protocol["per_class"]) == (60, [15, 15])
    assert one.protocol["train"] == 12


def test_more_labels_are_better():
    (x, y), (x_test, y_test) = blobs(3000, 0, noise=1.5), blobs(500, 1, noise=1.5)
    one, ten = low_label(x, y, x_test, y_test)
    assert one.value < ten.value <= linear(x, y, x_test, y_test).value + 0.02


def test_unseen_labels_are_errors():
    x, y = blobs(300, 0)
    assert low_label(x, y, x, torch.full_like(y, 77))[1].value == 0.0


def test_what_cannot_be_measured():
    x, y = blobs(60, 0)
    one, ten = low_label(x, y, x, y)
    assert math.isnan(one.value) and "of 1 % of the labels: 4 train samples are too few" in one.why
    assert "of one class" in low_label(x, torch.zeros_like(y), x, y)[0].why
    single = low_label(x, torch.arange(60), x, torch.arange(60))[0]  # every class has a single sample
    assert single.protocol["train"] == 60 and math.isfinite(single.value)
    assert math.isnan(ten.value)


def test_one_draw_has_no_interval():
    x, y = blobs(300, 0)
    number = low_label(x, y, x, y, draws=1)[1]
    assert math.isfinite(number.value) and math.isnan(number.low) and number.protocol["interval"] == "none: one draw"


def test_mistakes():
    x, y = blobs(60, 0)
    with pytest.raises(TacitError, match="1 to 100 %"):
        low_label(x, y, x, y, percents=(0,))
    with pytest.raises(TacitError, match="0 draws"):
        low_label(x, y, x, y, draws=0)
