"""How many clusters there are."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tacit.numerics.kmeans import best_kmeans

STEP, FINER = 1.3, 8  # between the numbers that are tried first, and how many are tried about the best of them
STARTS, ROUNDS = 3, 20  # of k-means
TILE = 1024  # rows whose distances to all are held


def silhouette(x: Tensor, labels: Tensor) -> float:
    """The mean over rows of (b − a)/max(a, b): a is the mean distance to the others of its cluster, b the least mean distance
    to the rows of another (Rousseeuw 1987). −1 to 1; n × d and int64, n, of two clusters or more; a row that is alone counts 0.
    """
    member = one_hot(labels).to(x.dtype)
    sizes, total = member.sum(0), 0.0
    for at in range(0, len(x), TILE):
        own = labels[at : at + TILE, None]
        apart = torch.cdist(x[at : at + TILE], x) @ member
        within = apart.gather(1, own)[:, 0] / (sizes[own[:, 0]] - 1).clamp(min=1)
        means = (apart / sizes).nan_to_num(torch.inf, torch.inf).scatter(1, own, torch.inf)
        nearest = means.amin(1)
        score = (nearest - within) / torch.maximum(nearest, within).clamp(min=1e-12)
        total += float(torch.where(sizes[own[:, 0]] > 1, score, 0).sum())
    return total / len(x)


def number_of_clusters(x: Tensor, most: int) -> dict[int, float]:
    """The silhouette of k-means for several k of 2 to `most`: in steps of a third, then about the best of these.

    n × d, float32, of which all distances are measured; seeds are drawn from torch's generator.
    """
    coarse, k = [], 2.0
    while round(k) <= most:
        coarse.append(round(k))
        k = max(k * STEP, k + 1)
    scores = {k: _score(x, k) for k in coarse}
    place = coarse.index(max(scores, key=lambda k: scores[k]))
    low, high = coarse[max(place - 1, 0)], coarse[min(place + 1, len(coarse) - 1)]
    between = [k for k in range(low + 1, high) if k not in scores]
    return scores | {k: _score(x, k) for k in between[:: max(len(between) // FINER, 1)]}


def _score(x: Tensor, k: int) -> float:
    labels = best_kmeans(x, k, STARTS, ROUNDS)[0]
    return silhouette(x, labels.unique(return_inverse=True)[1]) if len(labels.unique()) > 1 else 0.0
