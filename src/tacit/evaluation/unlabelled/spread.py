"""Whether directions differ at all, without labels."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import jackknife
from tacit.evaluation.number import NAN, Number
from tacit.numerics.spectra import moments, spread_of

GROUPS = 20  # of the jackknife


def spread(features: Tensor) -> Number:
    """Mean standard deviation per dimension of the rows of length one, times √d, of features n × d: 1 isotropic, 0 collapsed.

    Chen and He 2021 (SimSiam), arXiv:2011.10566, section 4.1.
    """
    n = len(features)
    protocol: dict[str, Any] = {"samples": n, "dimensions": features.shape[1]}
    if n < 2 * GROUPS:
        total, squares = moments(features)
        protocol["interval"] = f"none: fewer than {2 * GROUPS} samples"
        return Number("spread", float(spread_of(total, squares, n)), NAN, NAN, protocol)
    groups = [moments(features[group::GROUPS]) for group in range(GROUPS)]
    sizes = np.array([len(range(group, n, GROUPS)) for group in range(GROUPS)])
    totals, squares = (torch.stack(part) for part in zip(*groups))
    value = float(spread_of(totals.sum(0), squares.sum(0), n))
    left_out = [float(spread_of(totals.sum(0) - totals[g], squares.sum(0) - squares[g], n - sizes[g])) for g in range(GROUPS)]
    low, high = jackknife(value, np.array(left_out))
    protocol["interval"] = f"jackknife over {GROUPS} groups, 95 %"
    return Number("spread", value, max(low, 0.0), min(high, 1.0), protocol)
