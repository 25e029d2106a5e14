"""Rules read off relations: which two relations, one after the other, come near to a third (Yang et al. 2014, section 5)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

LEAST = 1e-12  # length of a relation's vector


class Rule(NamedTuple):
    """first(a, b) and second(b, c) imply third(a, c), as far as distance says; and how often that holds."""

    first: int
    second: int
    third: int
    distance: float
    confidence: float  # of the a, c that the body joins, the share that the third joins too
    body: int  # so many a, c


@torch.no_grad()
def mine(
    relations: Tensor, chained: Callable[[Tensor, Tensor], Tensor], triples: Tensor, entities: int, top: int = 20
) -> list[Rule]:
    """The `top` rules of smallest distance among chains whose types fit, nearest first (algorithm EmbedRule).

    relations  R × d or R × d × d, as `chained` joins them
    triples    of the training part, int64, N × 3: types fit where some entity is both a tail of the first and a head of the
               second, and the third shares heads with the first and tails with the second
    Distances are Euclidean (Frobenius) between vectors scaled to length 1: relations differ in length by how common they are,
    which the paper's thresholds per length of rule leave open. A relation is not concluded from itself.
    """
    count = len(relations)
    seen = [
        torch.zeros(count, entities, dtype=torch.bool).index_put_((triples[:, 1], triples[:, end]), torch.tensor(True))
        for end in (0, 2)
    ]
    heads, tails = (table.float() for table in seen)
    meets, same_heads, same_tails = ((a @ b.T) > 0 for a, b in ((tails, heads), (heads, heads), (tails, tails)))
    flat = _scaled(relations)
    nearest: list[tuple[float, int, int, int]] = []
    for first in range(count):
        joined = _scaled(chained(relations[first].expand_as(relations), relations))
        far = torch.cdist(joined, flat)
        fits = meets[first][:, None] & same_heads[first] & same_tails
        fits[:, first] = False
        fits.fill_diagonal_(False)
        far = far.masked_fill(~fits, torch.inf).flatten()
        values, places = far.topk(min(top, len(far)), largest=False)
        nearest += [(v, first, *divmod(p, count)) for v, p in zip(values.tolist(), places.tolist()) if v < np.inf]
    return [Rule(a, b, c, far, *confidence(a, b, c, triples, entities)) for far, a, b, c in sorted(nearest)[:top]]


def confidence(first: int, second: int, third: int, triples: Tensor, entities: int) -> tuple[float, int]:
    """Of the pairs that a chain joins, the share that the third relation joins; and how many the chain joins."""
    from scipy.sparse import csr_array

    def links(relation: int) -> csr_array:
        own = triples[triples[:, 1] == relation].numpy()
        return csr_array((np.ones(len(own), np.float32), (own[:, 0], own[:, 2])), shape=(entities, entities))

    body = (links(first) @ links(second)).astype(bool)
    held = body.multiply(links(third).astype(bool))
    return float(held.nnz / body.nnz) if body.nnz else 0.0, int(body.nnz)


def _scaled(relations: Tensor) -> Tensor:
    flat = relations.flatten(1)
    return flat / flat.norm(dim=1, keepdim=True).clamp_min(LEAST)
