"""One positive against negatives that everybody shares and some of one's own."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.tiles import between


def own_negatives(query: Tensor, key: Tensor, shared: Tensor, own: Tensor, temperature: float) -> Tensor:
    """Each query finds its key among m shared negatives and s of its own: n × d, n × d, m × d, n × s × d -> scalar.

    Kalantidis et al. 2020 (arXiv:2010.01028), equation 1 with the set of section 3.2 in the denominator too. Queries and keys
    are brought to length one, negatives are taken as they come. Gradient reaches whatever asks for it. Of the products with
    the shared ones only a tile is held.
    """
    with full_precision():
        query, key = unit(query), unit(key)
        among = between(query / temperature, shared.float())
        further = torch.einsum("nd,nsd->ns", query, own.float()) / temperature
        others = torch.cat([among[:, None], further], 1).logsumexp(1)
        return softplus(others - (query * key).sum(1) / temperature).mean()
