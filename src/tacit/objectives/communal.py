"""Communities of a graph that are dense within, and nodes that find themselves and their communities in another view."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank, total
from tacit.numerics.tiles import between


def crossed_nodes(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Each node finds itself among all nodes of the other view, not of its own: two n × d -> scalar.

    Li et al. 2021 (arXiv:2110.14863), as their code has it: of the first view's nodes in the second only.
    """
    with full_precision():
        mine, everyone = unit(first), gather(unit(second))
        itself = torch.arange(len(mine), device=mine.device) + rank() * len(mine)
        others = between(mine / temperature, everyone, itself[:, None], 1 / temperature)
        return softplus(others - (mine * everyone[itself]).sum(1) / temperature).mean()


def edge_density(shares: Tensor, edges: Tensor, between: float) -> Tensor:
    """How few edges lie inside of communities, and how certain their members are: n × K -> scalar.

    shares   of each node in each community, rows that sum to 1
    edges    int64, 2 × E: the place of a node among these, and among those of all processes
    between  weight of edges between communities (λ)

    Li et al. 2021 as their code has it, of n nodes with adjacency A and shares R, which are dense in neither memory nor time:
    [λ Σ (RᵀAR) − (n − 1 + λ) tr RᵀAR] / (n (n − 1)) + tr RᵀR / 2n. Since rows sum to 1, Σ (RᵀAR) is the number of edges
    whatever the shares are, and one community of all nodes is as good as any division of it that cuts no edge.
    """
    with full_precision():
        everyone = gather(shares.float())
        here, there = shares.float()[edges[0]], everyone[edges[1]]
        n = len(everyone)
        inside, all_edges = total((here * there).sum()), total((here.sum(1) * there.sum(1)).sum())
        certainty = total(shares.float().square().sum()) / (2 * n)
        return (between * all_edges - (n - 1 + between) * inside) / max(n * (n - 1), 1) + certainty


def crossed_centroids(views: tuple[Tensor, Tensor], chosen: tuple[Tensor, Tensor], k: int, temperature: float) -> Tensor:
    """Each node finds, among the centroids of the other view, that of the community which it is in there: -> scalar.

    views   two n × d; chosen: int64, n each: the community of every node in each view, 0…k − 1

    Li et al. 2021 as their code has it: a centroid is the mean of the rows of length one, is not scaled to length one again
    and takes no gradient; that of an empty community is 0 and stays among the wrong answers.
    """
    with full_precision():
        mine = [unit(view) for view in views]
        found = [_centroids(rows.detach(), own, k) for rows, own in zip(mine, chosen)]
        terms = [cross_entropy(mine[v] @ found[1 - v].T / temperature, chosen[1 - v]) for v in (0, 1)]
        return (terms[0] + terms[1]) / 2


def _centroids(rows: Tensor, chosen: Tensor, k: int) -> Tensor:
    """The mean of the rows of each community over all processes, 0 where it has none: k × d."""
    sums = torch.zeros(k, rows.shape[1], device=rows.device).index_add_(0, chosen, rows)
    counts = torch.bincount(chosen, minlength=k).float()
    return total(sums) / total(counts).clamp(min=1)[:, None]
