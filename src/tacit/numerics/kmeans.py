"""k-means, the same on every process."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.tiling.nearest_one import nearest_one
from tacit.numerics.tiling.seeds import plus_plus

ROWS = 8192  # of a tile: memory does not grow with n · k


def kmeans(features: Tensor, k: int, rounds: int = 20) -> tuple[Tensor, Tensor]:
    """Lloyd's algorithm from k-means++ seeds: n × d -> labels (int64, n), centroids (k × d).

    The seeds are those of greedy k-means++, by a key from torch's generator. A cluster that loses all its members takes the
    sample that is farthest from its centroid.
    """
    x = features.float()
    if not 1 <= k <= len(x):
        raise ValueError(f"{k} clusters of {len(x)} samples; k must lie in 1…n")
    key = int(torch.randint(2**62, ()))
    centroids = lloyd(x, x[plus_plus(x.cpu(), k, key).to(x.device)], rounds)
    return assign(x, centroids)[0], centroids


def lloyd(x: Tensor, centroids: Tensor, rounds: int) -> Tensor:
    """Centroids after at most so many rounds of Lloyd's algorithm, from given ones: n × d and k × d, float32, -> k × d."""
    k = len(centroids)
    for _ in range(rounds):
        labels, distance = assign(x, centroids)
        counts = torch.bincount(labels, minlength=k)
        sums = cluster_sums(x, labels, k)
        empty = counts == 0
        moved = torch.where(empty[:, None], centroids, sums / counts.clamp(min=1)[:, None])
        moved[empty] = x[distance.topk(int(empty.sum())).indices]
        if torch.equal(moved, centroids):
            break
        centroids = moved
    return centroids


def cluster_sums(x: Tensor, labels: Tensor, k: int) -> Tensor:
    """The sum of the rows of each cluster: n × d and int64, n -> k × d. In one order, so that processes agree to the bit."""
    if x.device.type == "cpu":
        return x.new_zeros(k, x.shape[1]).index_add_(0, labels, x)
    return _summed(x, labels, k)


def _summed(x: Tensor, labels: Tensor, k: int) -> Tensor:
    """By products of tiles: on a GPU scattered additions come in any order."""
    sums = x.new_zeros(k, x.shape[1])
    with full_precision():
        for rows, of in zip(x.split(ROWS), labels.split(ROWS)):
            sums += torch.nn.functional.one_hot(of, k).to(x.dtype).T @ rows
    return sums


def best_kmeans(features: Tensor, k: int, starts: int = 20, rounds: int = 100) -> tuple[Tensor, Tensor]:
    """The answer of the start, of several, that leaves the least squared distances: labels (int64, n), centroids (k × d)."""
    found = [kmeans(features, k, rounds) for _ in range(starts)]
    return min(found, key=lambda start: float(assign(features, start[1])[1].sum()))


def assign(features: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest centroid of each row and the squared distance to it: n × d, k × d -> n, n."""
    if features.device.type == "cpu":
        return nearest_one(features.float(), centroids.float())
    norms = centroids.square().sum(1)
    best = [(norms - 2 * tile @ centroids.T).min(1) for tile in features.float().split(ROWS)]
    distance = torch.cat([found.values for found in best]) + features.float().square().sum(1)
    return torch.cat([found.indices for found in best]), distance.clamp(min=0)
