"""Which samples are typical, wrong and together, against naive loops and known answers."""

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.examples import clusters, crossing, surest_errors, typicality


def similarities(z):
    z = z / z.norm(dim=1, keepdim=True)
    return (z @ z.T).fill_diagonal_(-torch.inf)


def test_typicality_is_the_mean_of_the_nearest():
    z = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    expected = similarities(z).sort(descending=True).values[:, :10].mean(1)
    assert torch.allclose(typicality(z), expected, atol=1e-5)
    assert typicality(z[:3]).shape == (3,)  # fewer than ten others


def test_the_one_apart_is_the_least_typical():
    z = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]])
    assert int(typicality(z, 2).argmin()) == 3


def test_errors_are_those_of_a_naive_vote():
    generator = torch.Generator().manual_seed(1)
    z, labels = torch.randn(60, 4, generator=generator), torch.randint(0, 3, (60,), generator=generator) * 7
    found = surest_errors(z, labels, 5)
    wrong = {}
    for i, row in enumerate(similarities(z)):
        told = labels[row.topk(5).indices].tolist()
        voted = max(sorted(set(told)), key=told.count)
        if voted != labels[i]:
            wrong[i] = (voted, told.count(voted))
    assert {int(i): (int(v), int(c)) for i, v, c in zip(*found)} == wrong
    assert found.votes.tolist() == sorted(found.votes.tolist(), reverse=True)


def test_a_mislabelled_sample_is_the_surest_error():
    z = torch.cat([torch.tensor([[1.0, 0.0]]).repeat(12, 1), torch.tensor([[0.0, 1.0]]).repeat(12, 1)])
    labels = torch.tensor([0] * 12 + [1] * 12)
    labels[3] = 1
    found = surest_errors(z, labels)
    assert found.positions.tolist() == [3] and found.voted.tolist() == [0] and found.votes.tolist() == [10]
    with pytest.raises(TacitError, match="one label of each"):
        surest_errors(z, labels[:5])


def test_clusters_are_found_and_their_middle_is_near():
    centres = torch.eye(4)
    truth = torch.arange(80) % 4
    z = centres[truth] + 0.01 * torch.randn(80, 4, generator=torch.Generator().manual_seed(0))
    found = clusters(z, 4)
    table = crossing(found.of, truth)
    assert table.accuracy == 1 and (np.diag(table.counts) == 20).all() and table.left_out == 0 and not table.others.any()
    assert found.distance.max() < 0.01


def test_rows_are_matched_to_columns_and_nothing_is_lost():
    found = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    labels = torch.tensor([5, 5, 9, 9, 9, 9, 2, 2, 5, 2])
    table = crossing(found, labels)
    assert table.classes == [2, 5, 9] and table.accuracy == pytest.approx(0.8)
    assert table.counts.tolist() == [[3, 1, 0], [0, 2, 1], [0, 0, 3]]
    cut = crossing(found, labels, most=2)
    assert cut.left_out == 1 and cut.counts.sum() + cut.others.sum() == 7 and cut.accuracy == table.accuracy


@pytest.mark.parametrize(("found", "labels"), [([0, 1, 2, 2], [3, 3, 3, 4]), ([0, 0, 0, 0], [1, 2, 3, 4])])
def test_more_clusters_than_classes_and_fewer(found, labels):
    table = crossing(torch.tensor(found), torch.tensor(labels))
    assert len(table.classes) == min(len(set(found)), len(set(labels)))
    assert table.left_out == len(set(found)) - len(table.classes)
