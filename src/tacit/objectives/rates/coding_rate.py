"""Coding rates: the nats that it takes to tell samples up to a small error, as a whole and in groups (Ma et al. 2007)."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import size, total


def coding_rate(z: Tensor, epsilon: float) -> Tensor:
    """½ log det(I + d/(n ε) ZᵀZ) of all processes' samples: n × d, of length one -> scalar.

    Yu et al. 2020 (arXiv:2006.08558), equation 1, whose ε² is `epsilon` here.
    """
    with full_precision():
        z = z.float()
        n, d = len(z) * size(), z.shape[1]
        return log_det(total(z.T @ z) * (d / (n * epsilon))) / 2


def group_rate(z: Tensor, memberships: Tensor, sizes: Tensor, epsilon: float) -> Tensor:
    """Σ_j size_j/(2n) log det(I + d/(size_j ε) Σ_i m_ij z_i z_iᵀ): what is left to tell where groups are known; a scalar.

    z            n × d, of length one
    memberships  n × k, how much sample i is of group j, 0 or more
    sizes        k, of the groups: sums of memberships, or what these ought to be

    The same paper, equation 2, with memberships that are shared out. n · d² and k · d² numbers are held.
    """
    with full_precision():
        z, memberships, sizes = z.float(), memberships.float(), sizes.float()
        n, d = z.shape
        squares = (z[:, :, None] * z[:, None]).flatten(1)
        scattered = (memberships.T @ squares).unflatten(1, (d, d)) * (d / (sizes * epsilon))[:, None, None]
        return (sizes * log_det(scattered)).sum() / (2 * n)


def log_det(scatter: Tensor) -> Tensor:
    """log det(I + S) of symmetric matrices without negative directions: … × d × d -> …."""
    eye = torch.eye(scatter.shape[-1], device=scatter.device)
    return 2 * torch.linalg.cholesky(eye + scatter).diagonal(dim1=-2, dim2=-1).log().sum(-1)


@torch.no_grad()
def coding_length(z: Tensor, labels: Tensor, epsilon: float) -> float:
    """Nats that tell samples group by group, and of which group each is: n × d, of length one, and int64, n.

    Σ over groups of (m + d)/2 log det(I + d/(m ε) ZᵀZ) + m log(n/m), of m samples each (Ma, Derksen, Hong and Wright 2007,
    equation 13). The number of groups for which it is least is the one that samples speak for.
    """
    total_length, d = 0.0, z.shape[1]
    for label in labels.unique():
        own = z[labels == label].float()
        m = len(own)
        total_length += float((m + d) / 2 * log_det(own.T @ own * (d / (m * epsilon)))) - m * float(
            torch.tensor(m / len(z)).log()
        )
    return total_length
