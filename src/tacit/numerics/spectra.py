"""How features fill their space: spectrum, effective rank, spread, alignment and uniformity.

Pure functions for both sides: training watches them on a few hundred rows, evaluation reports them on all. Sums run
in float64 over tiles of rows, so memory does not grow with the number of rows.
"""

import torch
from torch import Tensor

from tacit.numerics.exact import unit

ROWS = 4096  # of a tile


def gram(features: Tensor) -> Tensor:
    """The smaller of XᵀX (d × d) and XXᵀ (n × n), in float64, of features n × d: they share their nonzero spectrum."""
    if len(features) < features.shape[1]:
        short = features.double()
        return short @ short.T
    total = features.new_zeros(features.shape[1], features.shape[1], dtype=torch.float64)
    for tile in features.split(ROWS):
        tile = tile.double()
        total.addmm_(tile.T, tile)
    return total


def singular_values(features: Tensor) -> Tensor:
    """Of features n × d: float64, min(n, d), largest first.

    Square roots of the Gram matrix's eigenvalues: what is below about 1e-8 of the largest is noise.
    """
    return torch.linalg.eigvalsh(gram(features)).clamp_min(0).flip(0).sqrt()


def whitened(features: Tensor, k: int, least: float = 1e-5) -> Tensor:
    """Rows along their first k principal axes (as many as there are), each divided by its standard deviation: n × d -> n × k.

    What DeepCluster and DeeperCluster cluster. Variances below `least` of the largest count as that much, so that axes along
    which nothing varies are not blown up.
    """
    centred = features - features.double().mean(0).to(features.dtype)
    covariance = centred.new_zeros(centred.shape[1], centred.shape[1], dtype=torch.float64)
    for tile in centred.split(ROWS):
        tile = tile.double()
        covariance.addmm_(tile.T, tile, alpha=1 / len(features))
    variance, axes = torch.linalg.eigh(covariance)
    variance = variance.clamp_min(least * float(variance.max()))
    first = (axes / variance.sqrt())[:, -k:].flip(1).to(features.dtype)
    return torch.cat([tile @ first for tile in centred.split(ROWS)])


def effective_rank(features: Tensor, epsilon: float = 1e-7) -> Tensor:
    """The exponential of the entropy of the normalised singular values: a float64 scalar in [1, min(n, d)].

    RankMe (Garrido et al. 2023, arXiv:2210.02885, equation 1): p_k = σ_k / ‖σ‖₁ + ε, exp(−Σ p_k log p_k), of the raw
    features n × d, neither centred nor normalised (Roy and Vetterli 2007 have it without ε). All-zero features give 1.
    """
    values = singular_values(features)
    shares = values / values.sum().clamp_min(torch.finfo(torch.float64).tiny) + epsilon
    return torch.exp(-(shares * shares.log()).sum())


def feature_spread(features: Tensor) -> Tensor:
    """Mean standard deviation per dimension of the rows of length one, times √d: a float64 scalar.

    About 1 where directions are isotropic, 0 where all rows point the same way: the measure of collapse of SimSiam
    (Chen and He 2021, arXiv:2011.10566, section 4.1). The variance is the population's. Features are n × d.
    """
    total, squares = moments(features)
    return spread_of(total, squares, len(features))


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over the rows of length one, and of their squares: float64, d each."""
    total = features.new_zeros(features.shape[1], dtype=torch.float64)
    squares = torch.zeros_like(total)
    for tile in features.split(ROWS):
        tile = unit(tile).double()
        total += tile.sum(0)
        squares += tile.square().sum(0)
    return total, squares


def spread_of(total: Tensor, squares: Tensor, rows: int) -> Tensor:
    """The spread from `moments` of so many rows."""
    variance = squares / rows - (total / rows).square()
    return variance.clamp_min(0).sqrt().mean() * len(total) ** 0.5


def distances(first: Tensor, second: Tensor, alpha: float = 2.0) -> Tensor:
    """‖u − v‖^α of the directions u, v of two views of each sample (n × d both): float32, n."""
    tiles = zip(first.split(ROWS), second.split(ROWS))
    return torch.cat([(unit(u) - unit(v)).norm(dim=1).pow(alpha) for u, v in tiles])


def potentials(features: Tensor, t: float = 2.0) -> Tensor:
    """The mean over all other rows of exp(−t‖u − v‖²), u and v of length one: float64, n, of features n × d.

    The logarithm of their mean is the uniformity of Wang and Isola. Time grows with n², memory does not.
    """
    rows = unit(features)
    sums = torch.cat([_kernel_sums(tile, rows, t) for tile in rows.split(512)])
    own = torch.exp(2 * t * (rows.double().square().sum(1) - 1))  # 1 but for rounding and for zero rows
    return (sums - own) / (len(rows) - 1)


def _kernel_sums(tile: Tensor, rows: Tensor, t: float) -> Tensor:
    return torch.stack([(2 * t * (tile @ other.T - 1)).exp_().sum(1).double() for other in rows.split(8192)]).sum(0)


def alignment(first: Tensor, second: Tensor, alpha: float = 2.0) -> Tensor:
    """The mean of ‖u − v‖^α over two views u, v of each sample (n × d both): a float64 scalar, 0 is perfect.

    Wang and Isola 2020, arXiv:2005.10242, equation 1 and section 4.1.
    """
    return distances(first, second, alpha).double().mean()


def uniformity(features: Tensor, t: float = 2.0) -> Tensor:
    """log of the mean over pairs of exp(−t‖u − v‖²), of features n × d: a float64 scalar, 0 is collapsed, lower is better.

    Wang and Isola 2020, arXiv:2005.10242, section 4.1: over pairs of different samples, as in their code.
    """
    return potentials(features, t).mean().log()


def collapsed(rank: float, spread: float, n: int, d: int) -> bool:
    """Whether features n × d of this effective rank and spread have collapsed; conservative on purpose.

    Spread below 0.1: the directions lie within about six degrees of their mean, or almost all dimensions are dead. Or an
    effective rank below 2 that is also below 2 % of the largest possible: everything lies on one line.
    """
    return spread < 0.1 or (rank < 2 and rank < 0.02 * min(n, d))
