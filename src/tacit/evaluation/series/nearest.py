"""The baseline of the archives: the label of the one nearest training series."""

import torch
from torch import Tensor

from tacit.evaluation.intervals import wilson
from tacit.evaluation.number import Number

ROWS = 1024  # test rows compared at once


def one_nearest(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Number:
    """Accuracy of the label of the nearest training row by Euclidean distance, as the UCR archive reports (Dau et al. 2018,
    arXiv:1810.07758). Features n × d and m × d, labels int64; rows with label −1 are left out; the first of equals counts.
    """
    known, asked = train_labels >= 0, test_labels >= 0
    x, y, u, v = train[known].float(), train_labels[known], test[asked].float(), test_labels[asked]
    near = torch.cat([torch.cdist(tile, x, compute_mode="donot_use_mm_for_euclid_dist").argmin(1) for tile in u.split(ROWS)])
    hits = int((y[near] == v).sum())
    protocol = {"train": len(x), "test": len(u), "distance": "Euclidean", "interval": "Wilson, 95 %"}
    return Number("one_nearest", hits / len(u), *wilson(hits, len(u)), protocol)
