"""Each query finds its own item among those of the batch, corrected for how often an item is in one."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, mine
from tacit.numerics.tiles import PLAIN, between


def batch_softmax(queries: Tensor, items: Tensor, which: Tensor, log_q: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of query i choosing item i of all in the batch: n × d, n × d, int64 n, n -> scalar, over all processes.

    `which` names each item: where one is in the batch several times, it is no negative of itself. log_q is the logarithm of
    the probability with which an item comes into a batch and is taken from its score, without which items that are chosen
    often would be pushed down as negatives (Yi et al. 2019, DOI 10.1145/3298689.3346996, equation 3); zeros where items are
    drawn evenly. Queries and items are compared as they come, by their product over the temperature. Of a large batch only a
    tile of scores is held.
    """
    with full_precision():
        everyone, names = gather(items.float()), gather(which)
        own = mine(len(which), which.device)
        if len(which) * len(names) > PLAIN**2:
            rows = torch.cat([queries.float() / temperature, everyone.new_ones(len(which), 1)], 1)
            columns = torch.cat([everyone, -gather(log_q.float())[:, None]], 1)
            others = between(rows, columns, _places(which, names))
            return softplus(others - (rows * columns[own]).sum(1)).mean()
        logits = queries.float() @ everyone.T / temperature - gather(log_q.float())
        again = which[:, None] == names
        again[torch.arange(len(which), device=which.device), own] = False
        return cross_entropy(logits.masked_fill(again, -torch.inf), own)


def _places(which: Tensor, names: Tensor) -> Tensor:
    """Where each name stands: int64 n, N -> n × the most that one name does; the places of others are repeated."""
    order = names.argsort()
    ordered = names[order]
    first, behind = torch.searchsorted(ordered, which), torch.searchsorted(ordered, which, right=True)
    turn = torch.arange(int((behind - first).max()), device=names.device)
    return order[torch.minimum(first[:, None] + turn, behind[:, None] - 1)]
