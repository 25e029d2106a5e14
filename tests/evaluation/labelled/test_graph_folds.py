"""Ten folds: stratified, or as the source says."""

import numpy as np
import torch

from tacit.evaluation.labelled.graphs import graph_classification, stratified


def test_folds_share_the_classes():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    folds = stratified(labels, 10, 3)
    assert (folds.sum(0) == 1).all() and (folds.sum(1) == 10).all()
    assert all(np.bincount(labels[fold]).tolist() == [5, 3, 2] for fold in folds)


def test_what_can_be_told_is_told():
    torch.manual_seed(0)
    labels = torch.arange(120) % 2
    z = torch.randn(120, 5) + 3 * labels[:, None]
    found = graph_classification(z, labels)
    assert found.value > 0.95 and found.protocol["folds"] == 10
    given = np.zeros((3, 120), bool)
    given[np.arange(120) % 3, np.arange(120)] = True
    assert graph_classification(z, labels, given).protocol["folds"] == 3
    assert np.isnan(graph_classification(z, torch.zeros(120, dtype=torch.int64)).value)
