"""How alone a sample is among the others: outliers, and what is typical."""

import numpy as np
import torch

from tacit.numerics.topk import Neighbours, nearest

NEIGHBOURS = 20  # as in TypiClust


def neighbourhood(x: torch.Tensor) -> Neighbours:
    """The 20 nearest other rows of each, or all there are, by cosine: n × d, rows of length one."""
    return nearest(x, x, min(NEIGHBOURS, len(x) - 1), exclude_self=True)


def mean_distances(found: Neighbours) -> np.ndarray:
    """The mean Euclidean distance, on the unit sphere, of each row to its neighbours: float32, n.

    Typicality (Hacohen, Dekel and Weinshall 2022, arXiv:2202.02794, equation 1) is its inverse.
    """
    return (2 - 2 * found.scores).clamp(min=0).sqrt().mean(1).numpy()


def far_out(distances: np.ndarray, times: float) -> float:
    """The mean distance above which a row is an outlier: the third quartile and `times` the quartiles' distance (Tukey 1977).

    3 is his "far out"; among rows that are spread like a normal distribution, one in 400 000 is.
    """
    low, high = np.quantile(distances.astype(np.float64), [0.25, 0.75])
    return float(high + times * (high - low))
