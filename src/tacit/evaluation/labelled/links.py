"""Whether inner products of codes tell the edges that were held back from pairs of nodes without one."""

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.number import Number


def link_prediction(features: Tensor, edges: np.ndarray, absent: np.ndarray) -> list[Number]:
    """AUC and average precision of inner products: features N × d; edges and pairs without one, 2 × t each.

    The protocol of Kipf and Welling 2016 (arXiv:1611.07308, section 4). Ties count half in the AUC, and are one threshold in
    the average precision. The interval of the AUC is Hanley and McNeil's (1982, Radiology 143), of independent pairs.
    """
    if not edges.shape[1] or not absent.shape[1]:
        raise TacitError(f"{edges.shape[1]} edges and {absent.shape[1]} pairs without one came; give at least one of each.")
    there, gone = (_scores(features, pairs) for pairs in (edges, absent))
    auc, margin = _auc(there, gone)
    protocol = {"edges": len(there), "absent": len(gone), "score": "inner product"}
    precision = average_precision(there, gone)
    return [
        Number(
            "link_auc", auc, max(auc - margin, 0.0), min(auc + margin, 1.0), {**protocol, "interval": "Hanley and McNeil, 95 %"}
        ),
        Number("link_ap", precision, float("nan"), float("nan"), {**protocol, "interval": "none"}),
    ]


def average_precision(there: Tensor, gone: Tensor) -> float:
    """The mean over thresholds of the precision, each weighted by the recall that it adds."""
    scores, order = torch.cat([there, gone]).sort(descending=True, stable=True)
    hits = (order < len(there)).double().cumsum(0)
    last = torch.cat([scores[1:] != scores[:-1], torch.ones(1, dtype=torch.bool)])  # of those of one score
    ranks = torch.arange(1, len(scores) + 1, dtype=torch.float64)[last]
    gained = torch.diff(hits[last], prepend=torch.zeros(1, dtype=torch.float64))
    return float((hits[last] / ranks * gained).sum() / len(there))


def _auc(there: Tensor, gone: Tensor) -> tuple[float, float]:
    """The chance that an edge scores higher than a pair without one, and half the width of its interval."""
    ordered = gone.sort().values
    below = (torch.searchsorted(ordered, there) + torch.searchsorted(ordered, there, right=True)).double() / 2
    auc, m, n = float(below.mean() / len(gone)), len(there), len(gone)
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (m - 1) * (one - auc**2) + (n - 1) * (two - auc**2)) / (m * n)
    return auc, 1.96 * max(variance, 0.0) ** 0.5


def _scores(features: Tensor, pairs: np.ndarray) -> Tensor:
    first, second = (features[torch.from_numpy(np.ascontiguousarray(end))].double() for end in pairs)
    return (first * second).sum(1)
