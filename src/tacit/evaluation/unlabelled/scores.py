"""How far the similarities of two views of one thing stand above those of different things, without labels."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import Z, subsample
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.exact import unit

LIMIT = 4096  # samples: their pairs are counted
ROWS = 256  # of a tile of pairs
BINS = 64
STEP = 2.0**-20  # scores that are closer than float32 can tell are a tie


class Histograms(NamedTuple):
    """Shares of the cosine scores in 64 equal bins of [−1, 1]; each sums to 1."""

    edges: np.ndarray  # float64, 65
    positives: np.ndarray  # float64, 64: of the two views of one sample
    negatives: np.ndarray  # float64, 64: of views of two different samples


def score_histograms(first: Tensor, second: Tensor) -> Histograms:
    """The distributions of positive and negative cosine scores between two views of n ≥ 2 samples (n × d both).

    Negatives are all pairs of a first view and another sample's second view, of at most 4096 samples drawn by counter.
    """
    u, v = _views(first, second)
    if len(u) < 2:
        raise TacitError(f"Negative scores need views of at least 2 samples, and got {len(u)}.")
    positives, negatives = torch.zeros(BINS, dtype=torch.int64), torch.zeros(BINS, dtype=torch.int64)
    for start, tile in _tiles(u, v):
        own = _counts(tile.diagonal(start))
        positives += own
        negatives += _counts(tile) - own
    shares = [(counts.double() / counts.sum()).numpy() for counts in (positives, negatives)]
    return Histograms(np.linspace(-1.0, 1.0, BINS + 1), *shares)


def score_overlap(first: Tensor, second: Tensor) -> Number:
    """The chance that a negative pair scores above a positive one, ties half: 1 − AUROC, 0 apart, 0.5 alike; n × d both.

    Scores are cosines; a positive is two views of one sample, a negative the first view of one and the second of another,
    all of them, of at most 4096 samples drawn by counter. Any negative against any positive (Mann and Whitney 1947), not
    only against its own anchor's: one threshold for all anchors.
    """
    u, v = _views(first, second)
    n = len(u)
    if n < 2:
        return missing("score_overlap", f"negative scores need views of at least 2 samples, and there is {n}.")
    ranked, order = _rounded((u * v).sum(1)).sort()
    rows, columns = torch.zeros(n, dtype=torch.float64), torch.zeros(n, dtype=torch.float64)
    beaten = torch.zeros(n + 1, dtype=torch.float64)  # negatives by how many positives they lie above, ties half
    for start, tile in _tiles(u, v):
        scores = _rounded(tile)
        for side in (False, True):
            above = torch.searchsorted(ranked, scores, right=side)
            own = above.diagonal(start).clone()
            beaten += (torch.bincount(above.flatten(), minlength=n + 1) - torch.bincount(own, minlength=n + 1)).cpu() / 2
            above.diagonal(start).zero_()
            rows[start : start + len(tile)] += above.sum(1).cpu() / 2
            columns += above.sum(0).cpu() / 2
    value = float(rows.sum()) / (n * n * (n - 1))
    mine = torch.empty_like(rows)  # share of the negatives above each sample's positive
    mine[order.cpu()] = beaten.flip(0).cumsum(0).flip(0)[1:] / (n * (n - 1))
    # each sample is in its own positive, in a row and in a column of negatives: its part in a U-statistic of degree three
    added = mine + (rows + columns) / (n * (n - 1)) - 3 * value
    half = Z * math.sqrt(float(added.square().sum()) / (n - 1) / n)
    protocol = {
        "samples": n,
        "similarity": "cosine",
        "negatives": n * (n - 1),
        "interval": "delta method over samples, 95 %",
    }
    if n < len(first):
        protocol["drawn_from"] = len(first)
    if half == 0:
        protocol["interval"] = "none: positive and negative scores are apart or all alike, so nothing varies"
        return Number("score_overlap", value, NAN, NAN, protocol)
    return Number("score_overlap", value, max(value - half, 0.0), min(value + half, 1.0), protocol)


def _views(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    if first.shape != second.shape:
        raise TacitError(f"Scores got views of shapes {tuple(first.shape)} and {tuple(second.shape)}; they must be equal.")
    rows = torch.from_numpy(subsample(len(first), LIMIT, "scores")).to(first.device)
    return unit(first[rows]), unit(second[rows])


def _tiles(u: Tensor, v: Tensor) -> Iterator[tuple[int, Tensor]]:
    """The first row's number and the scores of some first views with all second views."""
    for start in range(0, len(u), ROWS):
        yield start, u[start : start + ROWS] @ v.T


def _counts(scores: Tensor) -> Tensor:
    bins = ((scores + 1) * (BINS / 2)).long().clamp_(0, BINS - 1)
    return torch.bincount(bins.flatten(), minlength=BINS).cpu()


def _rounded(scores: Tensor) -> Tensor:
    return (scores / STEP).round_()
