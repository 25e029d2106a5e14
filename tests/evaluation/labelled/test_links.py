"""AUC and average precision against scikit-learn's, ties included."""

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled.links import link_prediction


def test_they_are_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    torch.manual_seed(0)
    z = torch.randn(40, 3).round(decimals=1)
    edges, absent = np.random.default_rng(0).integers(0, 40, (2, 2, 70))
    truth = np.r_[np.ones(70), np.zeros(70)]
    scores = np.concatenate([(z[e[0]].double() * z[e[1]].double()).sum(1).numpy() for e in (edges, absent)])
    auc, precision = link_prediction(z, edges, absent)
    assert auc.value == pytest.approx(metrics.roc_auc_score(truth, scores)) and auc.low < auc.value < auc.high
    assert precision.value == pytest.approx(metrics.average_precision_score(truth, scores))


def test_none_is_refused():
    with pytest.raises(TacitError, match="at least one of each"):
        link_prediction(torch.ones(3, 2), np.zeros((2, 0), int), np.zeros((2, 1), int))
