"""How evenly the variance is shared among directions, without labels."""

from torch import Tensor

from tacit.evaluation.number import NAN, Number, missing
from tacit.evaluation.unlabelled.stable_rank import BIASED, bounded, over_strongest

ROUNDING = 1e-24  # of the mean square: the variance of what differs by less than float64 tells


def nesum(features: Tensor) -> Number:
    """Σ λ_k / λ_1 of the eigenvalues λ_1 ≥ λ_2 ≥ … of the covariance of features n × d: in [1, min(n − 1, d)], d is whitened.

    NESum of He and Ozay 2022 (Exploring the gap between collapsed and whitened features, ICML, definition 4.1). The
    authors find that what lies between collapsed and whitened can be best. The features are not normalised here.
    """
    if len(features) < 2:
        return missing("nesum", f"a covariance needs at least 2 samples, and there is {len(features)}.")
    x = bounded(features, "nesum").double()
    centred = x - x.mean(0)
    if float(centred.square().mean()) <= ROUNDING * float(x.square().mean()):
        return missing("nesum", f"all {len(features)} features are equal, so no direction has any variance.")
    protocol = {
        "samples": len(x),
        "dimensions": x.shape[1],
        "features": "centred, not normalised",
        "interval": BIASED,
    }
    return Number("nesum", over_strongest(centred), NAN, NAN, protocol)
