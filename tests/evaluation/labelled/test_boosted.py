"""Boosted trees as a probe."""

import sys

import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled.boosted import boosted


def test_trees_see_what_no_line_separates():
    torch.manual_seed(0)
    x = torch.rand(800, 2) * 2 - 1
    labels = (x[:, 0] * x[:, 1] > 0).long()
    labels[:50] = -1
    number = boosted(x[:600], labels[:600], x[600:], labels[600:])
    assert number.value > 0.95 and number.low < number.value <= number.high and number.protocol["train"] == 550
    assert boosted(x[:600], labels[:600], x[600:], labels[600:]) == number


def test_what_cannot_be_measured_is_said(monkeypatch):
    x, labels = torch.rand(9, 2), torch.zeros(9, dtype=torch.int64)
    assert "two classes" in boosted(x, labels, x, labels).why
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(TacitError, match="pip install scikit-learn"):
        boosted(x, labels, x, labels)
