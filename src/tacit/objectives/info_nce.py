"""One positive against a set of negatives that everybody shares."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.tiles import PLAIN, between


def info_nce(query: Tensor, key: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Each query finds its key among m negatives: n × d, n × d, m × d -> scalar.

    He et al. 2020 (arXiv:1911.05722), equation 1. Queries and keys are brought to length one, negatives (a queue's rows)
    are taken as they come. Gradient reaches whatever asks for it: the keys too, unless they were made without. Of many products
    only a tile is held.
    """
    with full_precision():
        query, key = unit(query), unit(key)
        own = (query * key).sum(1, keepdim=True)
        if len(query) * len(negatives) > PLAIN**2:
            others = between(query / temperature, negatives.float())
            return torch.nn.functional.softplus(others - own[:, 0] / temperature).mean()
        logits = torch.cat([own, query @ negatives.float().T], 1) / temperature
        return cross_entropy(logits, torch.zeros(len(query), dtype=torch.int64, device=query.device))
