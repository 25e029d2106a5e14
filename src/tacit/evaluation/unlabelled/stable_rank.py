"""How many directions are as strong as the strongest, without labels: of the features as they are."""

import torch
from torch import Tensor

from tacit.evaluation.intervals import subsample
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.spectra import singular_values

LIMIT = 4096  # rows used where there are more dimensions than this: bounds the Gram matrix
BIASED = "none: the largest eigenvalue of a sample is too large on average, the more so the flatter the spectrum"


def stable_rank(features: Tensor) -> Number:
    """‖X‖²_F / ‖X‖²₂ of features X, n × d: in [1, min(n, d)], and never above the rank.

    Rudelson and Vershynin 2007 (Sampling from large matrices), there the numerical rank. X is neither centred nor
    normalised, so a large mean holds it near 1; `nesum` is the same of the centred features.
    """
    x = bounded(features, "stable_rank").double()
    if not bool(x.any()):
        return missing("stable_rank", f"all {len(features)} features are zero, so no direction is the strongest.")
    protocol = {
        "samples": len(x),
        "dimensions": x.shape[1],
        "features": "as they are, neither centred nor normalised",
        "interval": BIASED,
    }
    return Number("stable_rank", over_strongest(x), NAN, NAN, protocol)


def bounded(features: Tensor, name: str) -> Tensor:
    """The features, or `LIMIT` rows of them drawn by counter where they are too wide for all."""
    if features.shape[1] <= LIMIT or len(features) <= LIMIT:
        return features
    return features[torch.from_numpy(subsample(len(features), LIMIT, name)).to(features.device)]


def over_strongest(x: Tensor) -> float:
    """The sum of the squared singular values over the largest of them: n × d, not all zero."""
    squares = singular_values(x).square()
    return float(squares.sum() / squares[0])
