"""Whether two representations retrieve the same samples for a query, and in the same order."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.between.models import fault
from tacit.evaluation.intervals import bootstrap, subsample
from tacit.evaluation.number import Number, missing
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest

LIMIT = 16384  # samples: the time grows with their square
CELLS = 1 << 24  # pairs of neighbours compared at once


def neighbour_jaccard(first: Tensor, second: Tensor, k: int = 10) -> Number:
    """Mean over samples of |A ∩ B| / |A ∪ B|, A and B its k nearest others by cosine in n × d₁ and in n × d₂.

    Caspari et al. 2024, arXiv:2407.08275, where chunks of text are retrieved for queries; here every sample is a query for the
    others (leave one out). 1 is the same neighbours; unrelated representations have about k / (2n).
    """
    return _mean("neighbour_jaccard", jaccard, first, second, k)


def neighbour_rank(first: Tensor, second: Tensor, k: int = 10) -> Number:
    """Mean over samples of `rank_similarity` of its k nearest others by cosine, in n × d₁ and in n × d₂: 1 is the same order.

    Caspari et al. 2024, arXiv:2407.08275. It is of the shared neighbours alone: read it beside the Jaccard similarity.
    """
    return _mean("neighbour_rank", rank_similarity, first, second, k)


def jaccard(first: Tensor, second: Tensor) -> Tensor:
    """Of the rows of two lists of neighbours, int64, n × k each: float64, n."""
    shared = (first[:, :, None] == second[:, None, :]).flatten(1).sum(1)
    return shared.double() / (2 * first.shape[1] - shared)


def rank_similarity(first: Tensor, second: Tensor) -> Tensor:
    """Of the rows of two lists of neighbours, int64, n × k each, nearest first: float64, n.

    The sum over the m shared ones of 2 / ((1 + |r − r′|)(r + r′)), over the m-th harmonic number, r and r′ their ranks from 1
    (Wang et al. 2022, "Towards understanding the instability of network embedding"); 0 where none is shared.
    """
    ranks = torch.arange(1, first.shape[1] + 1, dtype=torch.float64, device=first.device)
    weights = 2 / ((1 + (ranks[:, None] - ranks).abs()) * (ranks[:, None] + ranks))
    harmonic = torch.cat([ranks.new_ones(1), (1 / ranks).cumsum(0)])  # none shared: 0 / 1
    same = (first[:, :, None] == second[:, None, :]).flatten(1)
    return same.double() @ weights.flatten() / harmonic[same.sum(1)]


def _mean(name: str, score: Callable[[Tensor, Tensor], Tensor], first: Tensor, second: Tensor, k: int) -> Number:
    if k < 1:
        raise TacitError(f"Neighbours were asked for with k = {k}; k must be at least 1.")
    if reason := fault(first, second, fewest=3):
        return missing(name, reason)
    rows = torch.from_numpy(subsample(len(first), LIMIT, "neighbours between"))
    used = min(k, len(rows) - 1)
    x, y = (unit(features[rows.to(features.device)]) for features in (first, second))
    lists = (nearest(z, z, used, exclude_self=True).positions.split(max(1, CELLS // used**2)) for z in (x, y))
    each = torch.cat([score(a, b) for a, b in zip(*lists)]).cpu().numpy()
    protocol: dict[str, Any] = {
        "samples": len(rows),
        "k": used,
        "similarity": "cosine",
        "queries": "each for the others",
    }
    if used < k:
        protocol["k_clipped_from"] = k
    protocol["interval"] = "bootstrap over queries, 1000 resamples, 95 %"
    return Number(name, float(each.mean()), *bootstrap(each, name), protocol)
