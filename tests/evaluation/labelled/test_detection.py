"""Out-of-distribution detection: against scikit-learn and loops, its intervals, and its edges."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve

from tacit.errors import TacitError
from tacit.evaluation.labelled import detection as room
from tacit.evaluation.labelled.detection import auroc, detection, fpr95, leave_one_class_out


def blobs(n, seed, classes=5, noise=1.0):
    g = torch.Generator().manual_seed(seed)
    centres = 1.5 * torch.randn(classes, 8, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(classes, (n,), generator=g)
    return centres[labels] + noise * torch.randn(n, 8, generator=g), labels


def by_loop(train, x, k):
    unit = torch.nn.functional.normalize
    return np.array([float((unit(train) @ unit(row, dim=0)).topk(k).values.mean()) for row in x])


@pytest.mark.parametrize("digits", [8, 1])  # with one digit there are many ties
@pytest.mark.parametrize(("m", "o"), [(200, 90), (20, 3), (7, 50)])
def test_areas_and_rates_are_scikit_learns(digits, m, o):
    random = np.random.default_rng(0)
    inside, outside = random.normal(1, 1, m).round(digits), random.normal(0, 1, o).round(digits)
    truth, scores = np.r_[np.ones(m), np.zeros(o)], np.r_[inside, outside]
    assert auroc(inside, outside) == pytest.approx(roc_auc_score(truth, scores))
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert fpr95(inside, outside) == pytest.approx(fpr[tpr >= 0.95 - 1e-12][0])


def test_detection_equals_a_loop():
    (train, _), (inside, _) = blobs(100, 0), blobs(60, 1)
    outside = torch.randn(40, 8, generator=torch.Generator().manual_seed(2))
    area, rate = detection(train, inside, outside, k=7)
    scores = by_loop(train, torch.cat([inside, outside]), 7)
    assert (area.name, rate.name) == room.NAMES
    assert area.value == pytest.approx(roc_auc_score(np.r_[np.ones(60), np.zeros(40)], scores))
    assert rate.value == pytest.approx(fpr95(scores[:60], scores[60:]))
    assert area.low < area.value < area.high


def test_leaving_classes_out_equals_a_loop():
    (x, y), (x_test, y_test) = blobs(150, 0), blobs(90, 1)
    y, y_test = 10 * y + 3, 10 * y_test + 3  # labels need not be 0 … C−1
    area, rate = leave_one_class_out(x, y, x_test, y_test, k=6, most=3)
    largest = sorted(y_test.unique().tolist(), key=lambda c: (-int((y_test == c).sum()), c))[:3]
    areas, rates = [], []
    for left in largest:
        scores, out = by_loop(x[y != left], x_test, 6), (y_test == left).numpy()
        areas.append(roc_auc_score(~out, scores))
        rates.append(fpr95(scores[~out], scores[out]))
    assert area.protocol["anomalies"] == largest
    assert area.protocol["each"] == pytest.approx(areas, abs=1e-4)
    assert (area.value, rate.value) == pytest.approx((np.mean(areas), np.mean(rates)))


def test_delongs_variance_of_one_pair():
    """As in the paper: the variances of the components over their numbers."""
    random = np.random.default_rng(1)
    inside, outside = random.normal(1, 1, 50), random.normal(0, 1, 30)
    above = (inside[:, None] > outside).astype(float)
    expected = math.sqrt(above.mean(1).var(ddof=1) / 50 + above.mean(0).var(ddof=1) / 30)
    scores, out = np.r_[inside, outside][None], np.arange(80)[None] >= 50
    assert room._error(scores, out, room.area_components) == pytest.approx(expected)


@pytest.mark.parametrize("each", [60, 400])
def test_intervals_are_as_wide_as_other_samples_make_them(each):
    """The interval's half width against the spread of the value over fresh samples; turns share samples, so they covary."""

    def sample(seed):
        random = np.random.default_rng(seed)
        labels, both = np.repeat([0, 1, 2], each), random.normal(size=3 * each)
        scores = np.stack([random.normal(size=3 * each) + both - 1.5 * (labels == c) for c in range(3)])
        return scores, labels == np.arange(3)[:, None]

    drawn = [room._numbers(*sample(seed), {}) for seed in range(200)]
    for i in range(2):
        values, halves = [n[i].value for n in drawn], [(n[i].high - n[i].low) / 2 for n in drawn]
        assert np.mean(halves) == pytest.approx(1.96 * np.std(values), rel=0.2)


def test_known():
    x, y = torch.eye(3).repeat(10, 1), torch.arange(3).repeat(10)
    area, rate = leave_one_class_out(x, y, x, y, k=3)
    assert (area.value, rate.value) == (1.0, 0.0)
    assert math.isnan(area.low) and "nothing varies" in area.protocol["interval"]
    assert math.isnan(rate.low) and rate.protocol["interval"].startswith("none")


def test_collapse_is_at_chance():
    y = torch.arange(40) % 4
    area, rate = leave_one_class_out(torch.ones(40, 3), y, torch.ones(40, 3), y)
    assert (area.value, rate.value) == (0.5, 1.0)


def test_k_is_clipped_to_what_the_largest_class_leaves():
    x, y = blobs(12, 0, classes=2)
    protocol = leave_one_class_out(x, y, x, y, k=50)[0].protocol
    assert protocol["k"] == 12 - int(torch.bincount(y).max()) and protocol["k_clipped_from"] == 50
    assert detection(x, x, -x, k=50)[0].protocol["k"] == 12


def test_unseen_and_single_samples_are_left_out():
    (x, y), (x_test, y_test) = blobs(100, 0), blobs(60, 1)
    y_test[:7] = 77  # a class that no train sample has
    y_test[y_test == 0] = 1
    y_test[7] = 0  # a class with a single test sample
    protocol = leave_one_class_out(x, y, x_test, y_test)[0].protocol
    assert protocol["test"] == 53 and protocol["unseen_left_out"] == 7
    assert sorted(protocol["anomalies"]) == [1, 2, 3, 4]


def test_what_cannot_be_measured():
    x, y = blobs(40, 0)
    assert "1 classes in common" in leave_one_class_out(x, y, x, torch.zeros_like(y))[0].why
    assert "0 classes in common" in leave_one_class_out(x, y, x, torch.full_like(y, 77))[1].why
    alone = leave_one_class_out(x, torch.arange(40), x, torch.arange(40))
    assert all(math.isnan(n.value) and "2 test samples" in n.why for n in alone)
    pair = leave_one_class_out(x, y % 2, x[:4], torch.tensor([0, 0, 0, 1]))[0]  # one left to tell from
    assert math.isnan(pair.value) and "2 of other classes" in pair.why
    assert "1 outside samples" in detection(x, x, x[:1])[0].why


def test_mistakes():
    x, y = blobs(40, 0)
    with pytest.raises(TacitError, match="k = 0"):
        leave_one_class_out(x, y, x, y, k=0)
