"""A prediction like its own target and unlike the other samples' targets."""

from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import total


def batch_twins(prediction: Tensor, target: Tensor, off_diagonal: float) -> Tensor:
    """The cosines of predictions and targets across a batch against the identity: two n × d -> scalar, summed and not averaged.

    Sui et al. 2024 (LFR), equation 5 as in layer6ai-labs/lfr: the sum over i of (c_ii − 1)² and `off_diagonal` times that of
    c_ij², c over the samples of all processes. With predictions and targets as the rows of A and B, the sum of all squares is
    that of the products of AᵀA and BᵀB, which are d × d: no table of n × n is made.
    """
    with full_precision():
        a, b = unit(prediction), unit(target)
        own = (a * b).sum(1)
        everything = (total(a.T @ a) * total(b.T @ b)).sum()
        return total((own - 1).square().sum() - off_diagonal * own.square().sum()) + off_diagonal * everything
