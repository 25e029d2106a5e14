"""How fast the spectrum falls, without labels."""

import torch
from torch import Tensor

from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.spectra import singular_values

FIRST, LAST = 5, 100  # components between which the law is fitted, counted from 1
NOISE = 1e-12  # of the largest eigenvalue: what is below is rounding


def alpha_req(features: Tensor) -> Number:
    """The exponent α of the eigenvalues λ_j ∝ j^−α of the covariance of features n × d: about 1 is healthy.

    Agrawal et al. 2022 (α-ReQ, arXiv:2202.05808), section 3: far above 1 a few directions hold everything, far below 1 all
    of them hold noise. A line is fitted by least squares to log λ over log j. The paper does not fix the range: here from
    the 5th to the 100th component, or to the last that is not rounding; at least 10 are needed.
    """
    centred = features.double() - features.double().mean(0)
    variance = singular_values(centred).square() / max(len(features) - 1, 1)
    usable = int((variance > NOISE * variance[0].clamp_min(1e-300)).sum())
    last = min(LAST, usable)
    if last - FIRST + 1 < 10:
        return missing("alpha_req", f"the spectrum has {usable} components above rounding; {FIRST + 9} are needed for a fit.")
    places = torch.arange(FIRST, last + 1, dtype=torch.float64, device=variance.device).log()
    heights = variance[FIRST - 1 : last].log()
    slope = ((places - places.mean()) * (heights - heights.mean())).sum() / (places - places.mean()).square().sum()
    protocol = {
        "samples": len(features),
        "dimensions": features.shape[1],
        "components": [FIRST, last],
        "features": "centred, not normalised",
        "interval": "none: eigenvalues of one sample are not independent",
    }
    return Number("alpha_req", -float(slope), NAN, NAN, protocol)
