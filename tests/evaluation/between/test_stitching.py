"""Relative representations: against loops, their invariances, and stitching between spaces."""

import math

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.between import stitching as stitching_file
from tacit.evaluation.between.stitching import (
    anchor_rows,
    own_ranks,
    relative,
    relative_cosine,
    relative_mrr,
    stitching_accuracy,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def turned(x, seed=9):
    return 3 * x @ torch.linalg.qr(normal(x.shape[1], x.shape[1], seed=seed)).Q


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def loops(x, y, anchors):
    """Mean cosine and mean reciprocal rank, one sample at a time."""
    chosen = anchor_rows(len(x), anchors, 0).tolist()
    others = [i for i in range(len(x)) if i not in chosen]
    spaces = []
    for z in (x.double().numpy(), y.double().numpy()):
        spaces.append(np.array([[cosine(z[i], z[j]) for j in chosen] for i in others]))
    a, b = spaces
    there, back = [], []
    for i in range(len(others)):
        there.append(1 / (1 + sum(cosine(a[i], row) > cosine(a[i], b[i]) for row in b)))
        back.append(1 / (1 + sum(cosine(b[i], row) > cosine(b[i], a[i]) for row in a)))
    return np.mean([cosine(p, q) for p, q in zip(a, b)]), (np.mean(there) + np.mean(back)) / 2


@pytest.mark.parametrize("rows", [7, 512])
def test_equal_loops(monkeypatch, rows):
    monkeypatch.setattr(stitching_file, "ROWS", rows)
    x = normal(60, 6)
    y = torch.cat([x + 0.5 * normal(60, 6, seed=1), normal(60, 2, seed=2)], 1)
    expected = loops(x, y, 12)
    for measure, value in zip((relative_cosine, relative_mrr), expected):
        number = measure(x, y, anchors=12)
        assert number.value == pytest.approx(value, abs=1e-6) and number.low < number.value < number.high
        assert number.value == pytest.approx(measure(y, x, anchors=12).value)
        assert (number.protocol["samples"], number.protocol["anchors"]) == (48, 12)


def test_turning_and_scaling_change_nothing_and_moving_does():
    x = normal(200, 8)
    assert torch.allclose(relative(x, x[:20]), relative(turned(x), turned(x)[:20]), atol=1e-5)
    for measure in (relative_cosine, relative_mrr):
        assert measure(x, turned(x)).value == pytest.approx(1, abs=1e-6)
        assert measure(x, turned(x) + 5).value < 0.99


def test_unrelated_is_by_chance():
    x, y = normal(800, 8), normal(800, 8, seed=1)
    number = relative_mrr(x, y)
    assert number.value == pytest.approx(number.protocol["by_chance"], rel=0.4)
    x, y = x.abs(), y.abs()  # cones: everything is alike
    number = relative_cosine(x, y)
    assert number.protocol["by_chance"] > 0.9 and number.value == pytest.approx(number.protocol["by_chance"], abs=0.005)


def test_ties_take_the_mean_rank():
    assert own_ranks(torch.ones(5, 2), torch.ones(5, 2)).tolist() == [3.0] * 5
    assert own_ranks(torch.eye(3), torch.eye(3)).tolist() == [1.0] * 3


def test_anchors_are_drawn_by_counter():
    rows = anchor_rows(1000, 300, 0)
    assert len(set(rows.tolist())) == 300 and (np.diff(rows) > 0).all()
    assert (rows == anchor_rows(1000, 300, 0)).all() and (rows != anchor_rows(1000, 300, 1)).any()
    assert len(anchor_rows(9, 300, 0)) == 4
    with pytest.raises(TacitError, match="at least 1"):
        anchor_rows(9, 0, 0)


def blobs(n, seed):
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (n,), generator=g)
    return 3 * normal(4, 8, seed=99)[labels] + torch.randn(n, 8, generator=g), labels


def test_stitching():
    (x, y), (x_test, y_test) = blobs(400, 0), blobs(150, 1)
    own = stitching_accuracy(x, x, y, x_test, y_test)
    other = stitching_accuracy(x, turned(x), y, turned(x_test), y_test)
    assert own.value > 0.95 and other.value == pytest.approx(own.value, abs=0.02)
    assert other.name == "stitching_accuracy" and other.low < other.value <= other.high
    assert other.protocol["anchors"] == 200 and other.protocol["k"] == 20
    unrelated = stitching_accuracy(x, normal(400, 5), y, normal(150, 5, seed=1), y_test)
    assert unrelated.value < 0.5


def test_what_cannot_be_measured(monkeypatch):
    x, labels = normal(20, 4), torch.arange(20) % 2
    equal = torch.ones(20, 4)
    assert "equal" in relative_cosine(x, equal).why and "equal" in relative_mrr(equal, x).why
    assert "equal" in stitching_accuracy(x, equal, labels, x, labels).why
    assert "labels are the same" in stitching_accuracy(x, x, 0 * labels, x, labels).why
    assert "no test" in stitching_accuracy(x, x, labels, x[:0], labels[:0]).why
    assert math.isnan(relative_cosine(x[:3], x[:3]).value)
    with pytest.raises(TacitError, match="20 test embeddings and 19 labels"):
        stitching_accuracy(x, x, labels, x, labels[:19])
    with pytest.raises(TacitError, match="same samples"):
        relative_mrr(x, x[:10])
    monkeypatch.setattr(stitching_file, "LIMIT", 6)
    assert relative_mrr(x, turned(x)).protocol["samples"] == 6
