"""One of all candidates is the right one."""

from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from tacit.numerics.exact import full_precision, unit

TILE = 2**24  # scores that are held at once


def among_all(query: Tensor, candidates: Tensor, target: Tensor) -> Tensor:
    """Each query finds its own among all candidates by cosine: q × d, n × d, and int64 q -> scalar, the sum over queries.

    Kim et al. 2024 (arXiv:2404.00638), equation 5, at temperature 1. More scores than a tile holds are not
    kept but computed again for the gradient.
    """
    with full_precision():
        query, candidates = unit(query), unit(candidates)
        rows = max(TILE // max(len(candidates), 1), 1)
        if len(query) <= rows:
            return _sum(query, candidates, target)
        loss = query.new_zeros(())
        for part, own in zip(query.split(rows), target.split(rows)):
            loss = loss + checkpoint(_sum, part, candidates, own, use_reentrant=False, preserve_rng_state=False)
        return loss


def _sum(query: Tensor, candidates: Tensor, target: Tensor) -> Tensor:
    return cross_entropy(query @ candidates.T, target, reduction="sum")
