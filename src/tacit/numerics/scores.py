"""Similarities of pairs of samples: how far positives stand out, and how many negatives a softmax looks at."""

import torch
from torch import Tensor

from tacit.numerics.exact import unit

ANCHORS = 1024  # of a tile


def overlap(first: Tensor, second: Tensor) -> float:
    """The chance that a negative pair is more alike than a positive one, ties half: 0 apart, 0.5 alike; n × d both.

    1 − AUROC of cosine similarity, positives being two views of one sample and negatives all other pairs of views: one
    threshold for all anchors. For a few hundred samples; `evaluation.unlabelled.scores` has the interval.
    """
    scores = (unit(first.float()) @ unit(second.float()).T).double()
    positives = scores.diagonal().sort().values
    negatives = scores[~torch.eye(len(scores), dtype=torch.bool, device=scores.device)]
    below = torch.searchsorted(positives, negatives) + torch.searchsorted(positives, negatives, right=True)
    return float(below.double().mean() / (2 * len(positives)))


def effective_negatives(features: Tensor, temperature: float) -> float:
    """At how many other rows a softmax of cosine similarity over temperature looks: the median over rows of exp(entropy).

    n × d; from 1, where the nearest row takes all of the gradient, to n − 1, where all are looked at alike. The weights are
    the relative penalties of Wang and Liu 2021, arXiv:2012.09740, equation 5.
    """
    rows = unit(features.float())
    found = []
    for start in range(0, len(rows), ANCHORS):
        scores = (rows[start : start + ANCHORS] @ rows.T).double() / temperature
        scores.diagonal(start).fill_(-torch.inf)
        shares = scores.softmax(1)
        found.append(torch.special.entr(shares).sum(1).exp())
    return float(torch.cat(found).median())
