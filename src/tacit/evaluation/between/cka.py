"""Centred kernel alignment with the linear kernel: whether two representations put the same samples near one another."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tacit.evaluation.between.models import fault
from tacit.evaluation.intervals import Z
from tacit.evaluation.number import Number, missing

ROWS = 2048  # of a tile: memory does not grow with n²
NOISE = 1e-12  # of the mean square of a row: variance below is rounding


class Centred(NamedTuple):
    """Features less their mean and over the root mean square length of what is left, taken tile by tile in float64."""

    features: Tensor  # n × d
    mean: Tensor  # d
    scale: float

    def tiles(self) -> list[range]:
        return [range(start, min(start + ROWS, len(self.features))) for start in range(0, len(self.features), ROWS)]

    def rows(self, tile: range) -> Tensor:
        return (self.features[tile.start : tile.stop].double() - self.mean) * self.scale

    def lengths(self) -> Tensor:
        """Squared, n: the diagonal of the Gram matrix."""
        return torch.cat([self.rows(tile).square().sum(1) for tile in self.tiles()])


def cka(first: Tensor, second: Tensor) -> Number:
    """Linear CKA of representations n × d₁ and n × d₂ of the same samples: 1 where one is the other turned, scaled or moved.

    Kornblith et al. 2019, arXiv:1905.00414, table 1: ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖), columns centred. Biased upwards where d is not
    much smaller than n: `by_chance` in the protocol, its exact mean over all pairings of the rows, is what unrelated ones have.
    """
    pair = _pair(first, second, fewest=3)
    if isinstance(pair, str):
        return missing("cka", pair)
    (x, y), n = pair, len(first)
    products = _products(x, y)
    expected = n * n / (n - 1)  # of ‖XᵀY‖²: ‖X‖²‖Y‖² / (n − 1) (Kazi-Aoual et al. 1995), and both are n
    protocol = {
        "samples": n,
        "dimensions": [first.shape[1], second.shape[1]],
        "kernel": "linear",
        "by_chance": expected / math.sqrt(float(products[1].sum() * products[2].sum())),
        "interval": "infinitesimal jackknife over samples, 95 %, of the estimate as it is: its upward bias is not in it",
    }
    value, low, high = _ratio(products)
    return Number("cka", value, max(low, 0.0), high, protocol)


def cka_debiased(first: Tensor, second: Tensor) -> Number:
    """Linear CKA from unbiased estimates of HSIC, of n × d₁ and n × d₂: 0 on average where nothing is shared, even if d > n.

    Nguyen et al. 2020, arXiv:2010.15327, equation 3 (HSIC₁ of Song et al. 2012), here over all samples at once rather than
    averaged over minibatches, and without Gram matrices where d ≤ n: for centred features n (n − 3) HSIC₁ is
    ‖XᵀY‖² − n/(n−2) Σᵢ ‖xᵢ‖²‖yᵢ‖² + ‖X‖²‖Y‖² / ((n−1)(n−2)). May be slightly below 0.
    """
    pair = _pair(first, second, fewest=4)
    if isinstance(pair, str):
        return missing("cka_debiased", pair)
    (x, y), n = pair, len(first)
    a, b = x.lengths(), y.lengths()
    rest = n / ((n - 1) * (n - 2))  # ‖X‖² = ‖Y‖² = n: each sample's share of the last term
    products = [product - n / (n - 2) * own + rest for product, own in zip(_products(x, y), (a * b, a * a, b * b))]
    if not min(float(products[1].sum()), float(products[2].sum())) > NOISE * n:
        return missing("cka_debiased", "in one representation no two samples vary together; more samples are needed.")
    protocol = {
        "samples": n,
        "dimensions": [first.shape[1], second.shape[1]],
        "kernel": "linear",
        "interval": "infinitesimal jackknife over samples, 95 %",
    }
    return Number("cka_debiased", *_ratio(products), protocol)


def _ratio(products: list[Tensor]) -> tuple[float, float, float]:
    """The sum of the first over the root of those of the others, each given by sample, and its interval.

    A sample's influence on a sum of products is twice what it adds, less the mean (a statistic of degree two); on the ratio it
    follows by its derivative (Efron 1982, chapter 6: the infinitesimal jackknife).
    """
    cross, own, other = (float(product.sum()) for product in products)
    n, scale = len(products[0]), math.sqrt(own * other)
    value = cross / scale
    shares = [product * n / total for product, total in zip(products, (scale, own, other))]
    influence = 2 * (shares[0] - value * (shares[1] + shares[2]) / 2)  # its mean is 0
    half = Z * float(influence.std(correction=1)) / math.sqrt(n)
    return value, max(value - half, -1.0), min(value + half, 1.0)


def _products(x: Centred, y: Centred) -> list[Tensor]:
    """Σⱼ ⟨xᵢ, xⱼ⟩⟨yᵢ, yⱼ⟩ of each sample i, which add up to ‖XᵀY‖²; so of x with x, and of y with y: float64, n each.

    Through d₁ × d₂ products, or tiles of the Gram matrices where there are more dimensions than samples.
    """
    if len(x.features) >= max(len(x.mean), len(y.mean)):
        return [_by_features(x, y), _by_features(x, x), _by_features(y, y)]
    totals = x.mean.new_zeros(3, len(x.features))
    for tile in x.tiles():
        for other in x.tiles():
            a, b = (z.rows(tile) @ z.rows(other).T for z in (x, y))
            totals[:, tile.start : tile.stop] += torch.stack([(a * b).sum(1), (a * a).sum(1), (b * b).sum(1)])
    return list(totals)


def _by_features(x: Centred, y: Centred) -> Tensor:
    cross = x.mean.new_zeros(len(x.mean), len(y.mean))
    for tile in x.tiles():
        cross.addmm_(x.rows(tile).T, y.rows(tile))
    return torch.cat([((x.rows(tile) @ cross) * y.rows(tile)).sum(1) for tile in x.tiles()])


def _pair(first: Tensor, second: Tensor, fewest: int) -> tuple[Centred, Centred] | str:
    """Both, centred, or why they cannot be compared."""
    if reason := fault(first, second, fewest):
        return reason
    x, y = (Centred(features, features.mean(0, dtype=torch.float64), 1.0) for features in (first, second))
    spreads = [float(z.lengths().mean()) for z in (x, y)]
    for which, z, spread in (("first", x, spreads[0]), ("second", y, spreads[1])):
        if not spread > NOISE * float(z.mean.square().sum()):
            return f"the embeddings of the {which} representation are equal but for rounding."
    return x._replace(scale=spreads[0] ** -0.5), y._replace(scale=spreads[1] ** -0.5)
