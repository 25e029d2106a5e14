"""One of all candidates is the right one."""

from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.tiles import between


def among_all(query: Tensor, candidates: Tensor, target: Tensor) -> Tensor:
    """Each query finds its own among all candidates by cosine: q × d, n × d, and int64 q -> scalar, the sum over queries.

    Kim et al. 2024 (arXiv:2404.00638), equation 5, at temperature 1. Of the scores only a tile is held.
    """
    with full_precision():
        query, candidates = unit(query), unit(candidates)
        return (between(query, candidates, bound=1.0) - (query * candidates[target]).sum(1)).sum()
