"""One nearest neighbour by hand."""

import torch

from tacit.evaluation.series.nearest import one_nearest


def test_the_nearest_label_counts():
    train, test = torch.tensor([[0.0], [1.0], [10.0]]), torch.tensor([[0.4], [0.6], [9.0], [2.0]])
    found = one_nearest(train, torch.tensor([0, 1, 2]), test, torch.tensor([0, 0, 2, -1]))
    assert found.value == 2 / 3 and found.protocol["test"] == 3


def test_it_is_no_cosine():
    train, test = torch.tensor([[1.0, 0.0], [5.0, 5.0]]), torch.tensor([[1.0, 1.0]])
    assert one_nearest(train, torch.tensor([0, 1]), test, torch.tensor([0])).value == 1
