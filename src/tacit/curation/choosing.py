"""Which of many samples a budget is spent on."""

from typing import NamedTuple

import numpy as np
import torch

from tacit.curation.balance import at_random, first_of_each, shared_down, water_filled
from tacit.curation.density import NEIGHBOURS, mean_distances, neighbourhood
from tacit.curation.levels import hierarchical_kmeans, usual_levels
from tacit.curation.spread import farthest_first
from tacit.numerics import counter


class Choice(NamedTuple):
    """What was chosen of n samples."""

    chosen: np.ndarray  # int64, positions
    clusters: np.ndarray | None = None  # int64, n: the cluster of each sample, where it was chosen by clusters


def at_hazard(x: torch.Tensor, count: int, seed: int) -> Choice:
    """Any of them."""
    return Choice(np.sort(counter.permutation(counter.key(seed, "hazard"), len(x))[:count]))


def balanced(x: torch.Tensor, count: int, seed: int) -> Choice:
    """Evenly over what there is, however often it occurs: hierarchical k-means, and a budget poured down its levels.

    x n × d; in the leaves any of the members (Vo et al. 2024).
    """
    levels = [labels.numpy() for labels in hierarchical_kmeans(x, usual_levels(len(x)), seed=seed)]
    chosen = first_of_each(levels[0], at_random(len(x), seed), shared_down(levels, count, seed))
    return Choice(chosen, levels[0])


def evenly_by_one_level(x: torch.Tensor, count: int, seed: int) -> Choice:
    """What `balanced` is compared with: as many clusters of plain k-means, over which the budget is poured at once."""
    (labels,) = (labels.numpy() for labels in hierarchical_kmeans(x, usual_levels(len(x))[:1], [1], seed=seed))
    shares = water_filled(np.bincount(labels), count, counter.key(seed, "even"))
    return Choice(first_of_each(labels, at_random(len(x), seed), shares), labels)


def typical(x: torch.Tensor, count: int, seed: int) -> Choice:
    """Those of each cluster that lie nearest to their neighbours (Hacohen, Dekel and Weinshall 2022, arXiv:2202.02794).

    x n × d, rows of length one. As many clusters as are to be chosen, but none of fewer than 20 rows on average; where that
    gives fewer clusters, they take turns. Other than in TypiClust nothing is chosen already, and neighbours may lie in
    another cluster.
    """
    k = max(min(count, len(x) // NEIGHBOURS), 1)
    (labels,) = (labels.numpy() for labels in hierarchical_kmeans(x, [k], [1], seed=seed))
    shares = water_filled(np.bincount(labels), count, counter.key(seed, "typical"))
    return Choice(first_of_each(labels, mean_distances(neighbourhood(x)), shares), labels)


def diverse(x: torch.Tensor, count: int, seed: int) -> Choice:
    """Each as far as can be from those before it, beginning next to the mean (`farthest_first`); nothing is drawn."""
    first = int((x - x.mean(0)).square().sum(1).argmin())
    return Choice(np.sort(farthest_first(x, count, first).numpy()))
