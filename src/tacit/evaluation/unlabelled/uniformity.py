"""How evenly directions fill the sphere, without labels."""

import math

import torch
from torch import Tensor

from tacit.evaluation.intervals import pairs, subsample
from tacit.evaluation.number import NAN, Number
from tacit.numerics.spectra import potentials

LIMIT = 16384  # samples: the time grows with their square


def uniformity(features: Tensor, t: float = 2.0) -> Number:
    """log of the mean of exp(−t‖u − v‖²) over pairs of samples, of features n × d, n ≥ 2: 0 is collapsed, lower is better.

    Wang and Isola 2020, arXiv:2005.10242, section 4.1, t = 2. About −2t where directions are uniform and d is large.
    """
    rows = subsample(len(features), LIMIT, "uniformity")
    each = potentials(features[torch.from_numpy(rows).to(features.device)], t).cpu().numpy()
    protocol = {"samples": len(each), "t": t, "interval": "of a U-statistic over pairs, 95 %"}
    value, (low, high) = math.log(each.mean()), pairs(each)
    if low <= 0:
        protocol["interval"] = f"none: {len(each)} samples are too few"
        return Number("uniformity", value, NAN, NAN, protocol)
    return Number("uniformity", value, math.log(low), math.log(high), protocol)
