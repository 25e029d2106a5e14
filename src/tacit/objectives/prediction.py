"""One branch predicts what another says."""

from torch import Tensor

from tacit.numerics.exact import full_precision, unit


def cosine_distance(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of 1 − cosine between prediction and target: two n × d -> scalar in [0, 2].

    BYOL's normalised squared error is twice this (arXiv:2006.07733, equation 2), SimSiam's negative cosine is this less 1
    (arXiv:2011.10566, equation 1).
    """
    with full_precision():
        return 1 - (unit(prediction) * unit(target)).sum(1).mean()
