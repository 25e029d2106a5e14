"""Where a head keeps silent: below a confidence that is found on labels it has not seen."""

import math

import torch
from torch import Tensor


def threshold(confidence: Tensor, right: Tensor, wanted: float) -> float:
    """The least confidence to answer with, so that of those answered at most a share `wanted` is wrong: n, bool n -> in [0, ∞].

    Of all confidences that occur the lowest c for which (errors + 1) / (answered + 1) ≤ wanted among those of c and above. One
    error more is counted than there is, as conformal risk control does (Angelopoulos et al. 2024, arXiv:2208.02814), whose
    guarantee supposes a risk that only falls as c rises; the share of errors among those answered nearly does. 0 where all
    may be answered, and infinite where none may.
    """
    order = confidence.argsort(descending=True, stable=True)
    ranked = confidence[order].double()
    answered = torch.arange(1, len(ranked) + 1, device=ranked.device)
    errors = (~right[order]).cumsum(0)
    last = torch.cat([ranked[1:] < ranked[:-1], ranked.new_ones(1, dtype=torch.bool)])  # of equal ones
    allowed = (last & (errors + 1 <= wanted * (answered + 1))).nonzero().flatten()
    if not len(allowed):
        return math.inf
    return 0.0 if int(allowed[-1]) == len(ranked) - 1 else float(ranked[allowed[-1]])
