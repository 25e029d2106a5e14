"""Contrast of features that were moved on purpose, and what scores say of it."""

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import softplus

from tacit.numerics.exact import full_precision
from tacit.numerics.tiles import between


class Scores(NamedTuple):
    """Of a batch: scalars without gradient."""

    positive_score: Tensor  # mean of query · key
    negative_score: Tensor  # mean of query · negative
    negative_variance: Tensor  # mean over queries of the variance of query · negative


def extrapolated(query: Tensor, key: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Both away from one another for a share above 1: n × d twice -> n × d twice.

    Zhu et al. 2021 (arXiv:2108.02982), section 4.1. Of unit rows with cosine s what follows has the product
    (λ² + (1 − λ)²) s + 2 λ (1 − λ), which is no more than s.
    """
    return share * query + (1 - share) * key, share * key + (1 - share) * query


def found_among(query: Tensor, key: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Each query finds its key among m negatives by their products, of whatever length: n × d, n × d, m × d -> scalar.

    `info_nce` of rows as they come. Gradient reaches whatever asks for it. Of many products only a tile is held.
    """
    with full_precision():
        query, key = query.float(), key.float()
        others = between(query / temperature, negatives.float())
        return softplus(others - (query * key).sum(1) / temperature).mean()


def score_moments(query: Tensor, key: Tensor, negatives: Tensor) -> Scores:
    """What the products of n queries with their keys and with m negatives are like; no n × m products are made."""
    with full_precision():
        query, key, negatives = query.detach().float(), key.detach().float(), negatives.float()
        mean = negatives.mean(0)
        centred = negatives - mean
        covariance = centred.T @ centred / (len(negatives) - 1)
        variance = ((query @ covariance) * query).sum(1).mean()
        return Scores((query * key).sum(1).mean(), (query @ mean).mean(), variance)
