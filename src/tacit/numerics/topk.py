"""Exact nearest neighbours by inner product, in tiles: memory does not grow with the number of keys.

A score and its position are packed into one int64 (the score in the upper half, in an order-keeping code; the
complement of the position in the lower), so that taking the largest also settles ties: of equal scores the lower
position wins, whatever the tiles. Within a tile the k best lie in the k blocks of 32 keys whose best is best, so
only 1/32 of the scores is sorted, and that is exact too (same order on blocks and on their members).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from tacit.errors import TacitError

BLOCK = 32  # keys whose maximum is taken before anything is sorted
QUERIES, KEYS = 512, 8192  # a tile: 16 MiB of scores
_LOW = 0xFFFFFFFF


class Neighbours(NamedTuple):
    """The nearest keys of each query, best first."""

    scores: Tensor  # float32, queries × k
    positions: Tensor  # int64, queries × k: among the keys


def nearest(queries: Tensor, keys: Tensor, k: int, *, exclude_self: bool = False) -> Neighbours:
    """The k keys of largest inner product with each query; for cosine give rows of length one (`exact.unit`).

    queries m × d, keys n × d, finite, on one device; computed in float32 with the matmul precision the process has
    set. With `exclude_self` the queries are the keys, and none is its own neighbour. k above the number of keys to
    choose from is a TacitError.
    """
    choices = len(keys) - exclude_self
    if not 1 <= k <= choices:
        raise TacitError(f"{k} neighbours were asked for, but there are {choices} to choose from; ask for 1 to {choices}.")
    if exclude_self and len(queries) != len(keys):
        raise TacitError(f"exclude_self needs the queries to be the keys, but there are {len(queries)} and {len(keys)}.")
    queries, keys = queries.float(), keys.float()
    starts = range(0, max(1, len(queries)), QUERIES)
    packed = torch.cat([_nearest(queries[start : start + QUERIES], keys, k, start, exclude_self) for start in starts])
    return Neighbours(_score(packed >> 32), _LOW - (packed & _LOW))


def _nearest(queries: Tensor, keys: Tensor, k: int, row: int, exclude_self: bool) -> Tensor:
    """Packed scores and positions of one tile of queries, whose first is number `row`: m × k."""
    best = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    for start in range(0, len(keys), KEYS):
        scores = queries @ keys[start : start + KEYS].T
        if exclude_self and -len(queries) < row - start < scores.shape[1]:  # the tile touches the diagonal
            scores.diagonal(row - start).fill_(-torch.inf)
        best = torch.cat([best, _best_of_tile(scores, k, start)], dim=1)
        best = best.topk(min(k, best.shape[1])).values
    return best


def _best_of_tile(scores: Tensor, k: int, start: int) -> Tensor:
    """The packed k best (or all) of a tile of scores whose first key is number `start`."""
    short = -scores.shape[1] % BLOCK
    blocks = torch.nn.functional.pad(scores, (0, short), value=-torch.inf).unflatten(1, (-1, BLOCK))
    count = blocks.shape[1]
    order = torch.arange(count, device=scores.device)
    ranked = _pack(blocks.amax(dim=2), order).topk(min(k, count)).values
    chosen = _LOW - (ranked & _LOW)  # m × blocks
    members = blocks.gather(1, chosen[:, :, None].expand(-1, -1, BLOCK))
    position = start + chosen[:, :, None] * BLOCK + torch.arange(BLOCK, device=scores.device)
    packed = _pack(members, position).flatten(1)
    return packed.topk(min(k, packed.shape[1])).values


def _pack(scores: Tensor, position: Tensor) -> Tensor:
    bits = (scores + 0.0).view(torch.int32)  # adding 0 makes −0 equal to 0
    code = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # signed integers in the order of the floats
    return (code.long() << 32) + (_LOW - position)


def _score(code: Tensor) -> Tensor:
    code = code.int()
    return (code ^ ((code >> 31) & 0x7FFFFFFF)).view(torch.float32)
