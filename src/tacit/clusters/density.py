"""Clusters as dense regions with sparse ones between them, and rows that are in none."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError

DIMENSIONS = 32  # kept: in many, all distances are alike


def dense_clusters(x: Tensor, least: int) -> Tensor:
    """HDBSCAN (Campello, Moulavi, Sander 2013) of the first principal components: n × d -> int64, n; −1 for what is in none.

    least  rows that make a cluster
    """
    try:
        from sklearn.cluster import HDBSCAN
    except ModuleNotFoundError:
        raise TacitError("--method hdbscan needs scikit-learn; install it with pip install 'tacit[tables]'.") from None
    x = x - x.mean(0)
    if min(x.shape) > DIMENSIONS:
        x = x @ torch.pca_lowrank(x, DIMENSIONS, center=False)[2]
    found = HDBSCAN(min_cluster_size=least, copy=True).fit(x.numpy())
    return torch.from_numpy(np.asarray(found.labels_, np.int64))
