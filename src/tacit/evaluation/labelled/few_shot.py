"""How far a few labelled samples of each class carry: episodes of nearest class mean."""

import math

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import Z
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics import counter
from tacit.numerics.exact import unit

CELLS = 1 << 22  # numbers of the episodes held at once


def few_shot(
    features: Tensor,
    labels: Tensor,
    shots: tuple[int, ...] = (1, 5),
    ways: int = 5,
    episodes: int = 600,
    queries: int = 15,
    seed: int = 0,
) -> list[Number]:
    """Mean accuracy of episodes, one number `few_shot_K` for each K of `shots`: features n × d, labels int64, n.

    An episode draws `ways` classes and, of each, K samples that are its support and `queries` others, all without
    replacement; a query goes to the class whose support has the nearest mean (Snell et al. 2017, arXiv:1703.05175,
    equations 1 and 2), here on frozen rows of length one. A class with fewer than K + `queries` samples asks with those
    it has beyond K, and one with none beyond K is left out. With fewer classes than `ways` all are drawn.
    """
    positive(episodes=episodes, queries=queries)
    if ways < 2 or not shots or min(shots) < 1:
        raise TacitError(
            f"Few-shot episodes got {ways} ways and {list(shots)} shots; give at least 2 ways, and 1 shot or more."
        )
    return [_few_shot(features, labels, k, ways, episodes, queries, seed) for k in shots]


def _few_shot(features: Tensor, labels: Tensor, k: int, ways: int, episodes: int, queries: int, seed: int) -> Number:
    name = f"few_shot_{k}"
    _, target, counts = np.unique(labels.cpu().numpy(), return_inverse=True, return_counts=True)
    usable = np.flatnonzero(counts > k)
    if len(usable) < 2:
        why = f"{len(usable)} of {len(counts)} classes have more than {k} samples; episodes need two such classes."
        return missing(name, why)
    order = np.argsort(target, kind="stable")  # rows, class after class
    begins, sizes = (np.cumsum(counts) - counts)[usable], counts[usable]
    used = min(ways, len(usable))
    x, right = unit(features), []
    together = max(1, CELLS // (used * (k + queries) * features.shape[1]))  # episodes
    for start in range(0, episodes, together):
        numbers = np.arange(start, min(start + together, episodes))
        drawn = counter.uniform(counter.key("few-shot classes", seed, k), numbers, len(usable)).argsort(1)[:, :used]
        members = distinct(counter.key("few-shot samples", seed, k), numbers, sizes[drawn], k + queries)
        rows = order[begins[drawn][:, :, None] + np.minimum(members, sizes[drawn][:, :, None] - 1)]
        asked = np.arange(k, k + queries) < sizes[drawn][:, :, None]  # the others are places that the class cannot fill
        right.append(_accuracy(x, torch.from_numpy(rows).to(x.device), torch.from_numpy(asked).to(x.device), k))
    each = torch.cat(right)
    value = float(each.mean())
    half = Z * float(each.std()) / math.sqrt(episodes) if episodes > 1 else NAN
    protocol = {
        "test": int(sizes.sum()),
        "classes": len(usable),
        "left_out_classes": len(counts) - len(usable),
        "ways": used,
        "shots": k,
        "queries": f"{queries} of each class, {min(queries, int(sizes.min()) - k)} of the smallest",
        "episodes": episodes,
        "seed": seed,
        "features": "rows of length one",
        "interval": "normal over episodes, 95 %: other samples are not in it" if episodes > 1 else "none: one episode",
    }
    if used < ways:
        protocol["ways_clipped_from"] = ways
    return Number(name, value, max(value - half, 0.0), min(value + half, 1.0), protocol)


def distinct(key: int, numbers: np.ndarray, sizes: np.ndarray, count: int) -> np.ndarray:
    """`count` different whole numbers below each size, in random order: int64, sizes' shape (episodes × ways) × count.

    The j-th is drawn among the places that are left and steps over those taken, so that neither time nor memory grows
    with the sizes. Places from a size on are filled with anything.
    """
    chance = counter.uniform(key, numbers, sizes.shape[1] * count).reshape(*sizes.shape, count)
    drawn = np.empty(chance.shape, np.int64)
    for j in range(count):
        place = (chance[..., j] * np.maximum(sizes - j, 1)).astype(np.int64)
        for taken in np.moveaxis(np.sort(drawn[..., :j], axis=-1), -1, 0):
            place += taken <= place
        drawn[..., j] = place
    return drawn


def _accuracy(x: Tensor, rows: Tensor, asked: Tensor, k: int) -> Tensor:
    """Share of the asked queries that go to their own class: rows episodes × ways × (k + queries) -> float64, episodes."""
    means = x[rows[:, :, :k]].mean(2)  # episodes × ways × d
    queries = x[rows[:, :, k:]].flatten(1, 2)
    distance = means.square().sum(2)[:, None] - 2 * queries @ means.mT  # less the query's own length
    own = torch.arange(rows.shape[1], device=x.device).repeat_interleave(asked.shape[2])
    hits = (distance.argmin(2) == own) & asked.flatten(1)
    return hits.sum(1).double() / asked.sum((1, 2))
