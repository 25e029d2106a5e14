"""Two views' features as each other's, and no feature as another."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import size, total


def cross_correlation(first: Tensor, second: Tensor, off_diagonal: float) -> Tensor:
    """The cross-correlation of two views' standardised features against the identity: two n × d -> scalar.

    Zbontar et al. 2021 (arXiv:2103.03230), equation 1, over the samples of all processes; `off_diagonal` is its lambda.
    Standardised by the batch's own mean and biased variance plus 1e-5, as the released code's last norm does.
    """
    with full_precision():
        n = len(first) * size()
        first, second = (_standardised(z.float(), n) for z in (first, second))
        correlation = total(first.T @ second) / n
        diagonal = correlation.diagonal()
        redundant = correlation.square().sum() - diagonal.square().sum()
        return (1 - diagonal).square().sum() + off_diagonal * redundant


def _standardised(z: Tensor, n: int) -> Tensor:
    centred = z - total(z.sum(0)) / n
    variance = total(centred.square().sum(0)) / n
    return centred * torch.rsqrt(variance + 1e-5)
