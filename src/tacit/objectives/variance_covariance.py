"""Features that vary, and do not vary together."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import size, total


def variance_covariance(z: Tensor) -> tuple[Tensor, Tensor]:
    """How far deviations fall below 1, and the mean square of covariances: n × d -> two scalars.

    Bardes et al. 2021 (arXiv:2105.04906), equations 1 to 4, over the samples of all processes: the mean over dimensions of
    max(0, 1 − √(variance + 1e-4)), and the sum of squared off-diagonal covariances over d, both with n − 1 below.
    """
    with full_precision():
        z, n = z.float(), len(z) * size()
        centred = z - total(z.sum(0)) / n
        covariance = total(centred.T @ centred) / (n - 1)
        variance = covariance.diagonal()
        short = torch.relu(1 - (variance + 1e-4).sqrt()).mean()
        return short, (covariance.square().sum() - variance.square().sum()) / z.shape[1]
