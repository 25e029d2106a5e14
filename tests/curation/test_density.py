"""Neighbours' distances, outliers and doubtful labels, by value."""

import numpy as np
import pytest
import torch

from tacit.curation.density import far_out, mean_distances, neighbourhood
from tacit.curation.doubtful import doubts
from tacit.numerics.exact import unit


def test_mean_distances_are_those_of_all_pairs():
    x = unit(torch.randn(50, 6, generator=torch.Generator().manual_seed(0)))
    known = torch.cdist(x.double(), x.double()).sort(1).values[:, 1:21].mean(1)
    np.testing.assert_allclose(mean_distances(neighbourhood(x)), known.numpy(), atol=1e-5)


def test_a_few_rows_have_as_many_neighbours_as_there_are():
    assert neighbourhood(unit(torch.randn(5, 3))).positions.shape == (5, 4)


def test_far_out_is_by_quartiles():
    assert far_out(np.array([0.0, 1, 2, 3, 4]), 3) == pytest.approx(3 + 3 * 2)


def test_an_exchanged_label_is_doubtful_and_no_other():
    g = torch.Generator().manual_seed(0)
    which = np.repeat([0, 1, 2], 40)
    x = unit(torch.eye(3, 8)[torch.from_numpy(which)] + 0.1 * torch.randn(120, 8, generator=g))
    labels = which.copy()
    labels[[3, 50]] = [2, 0]
    labels[7] = -1  # not known: neither votes nor is doubted
    found = doubts(neighbourhood(x), labels)
    assert np.flatnonzero(found.doubtful).tolist() == [3, 50]
    assert found.instead[[3, 50]].tolist() == [0, 1] and (found.instead >= 0).sum() == 2
    assert np.isnan(found.agreed[7]) and found.agreed[3] == 0
