"""How many dimensions the embedding really uses, without labels."""

import torch
from torch import Tensor

from tacit.evaluation.intervals import subsample
from tacit.evaluation.number import NAN, Number
from tacit.numerics.spectra import effective_rank

LIMIT = 4096  # rows used where there are more dimensions than this: bounds the Gram matrix


def rankme(features: Tensor) -> Number:
    """RankMe of features n × d: in [1, min(n, d)], higher is better among trainings of one family.

    Garrido et al. 2023, arXiv:2210.02885, equation 1, ε = 1e-7. It depends on n: compare at equal n only.
    """
    rows = subsample(len(features), LIMIT if features.shape[1] > LIMIT else len(features), "rankme")
    used = features[torch.from_numpy(rows).to(features.device)] if len(rows) < len(features) else features
    protocol = {
        "samples": len(used),
        "dimensions": features.shape[1],
        "epsilon": 1e-7,
        "features": "as they are, neither centred nor normalised",
        "interval": "none: a resample repeats rows and so has a smaller rank, which would bias it",
    }
    return Number("rankme", float(effective_rank(used)), NAN, NAN, protocol)
