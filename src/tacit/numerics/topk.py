"""Exact nearest neighbours by inner product, in tiles: memory does not grow with the number of keys.

On a CPU a product in low precision screens each tile: only keys that could still be among the k best, by a bound on its
error, are scored in float32. Where too many could, as among equal rows, and on other devices, all are.

A score and its position are packed into one int64 (the score in the upper half, in an order-keeping code; the
complement of the position in the lower), so that taking the largest also settles ties: of equal scores the lower
position wins, whatever the tiles. Within a tile the k best lie in the k blocks of 32 keys whose best is best, so
only 1/32 of the scores is sorted, and that is exact too (same order on blocks and on their members).
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tacit.errors import TacitError

BLOCK = 32  # keys whose maximum is taken before anything is sorted
QUERIES, KEYS = 512, 16384  # a tile: 32 MiB of scores
GROUP = 16  # tiles of queries that share the rounding of a tile of keys
MOST = KEYS // 16  # keys a query and tile that are scored one by one; of more the product of the tile is cheaper
LEAST = torch.finfo(torch.float32).min
_LOW = 0xFFFFFFFF


class Neighbours(NamedTuple):
    """The nearest keys of each query, best first."""

    scores: Tensor  # float32, queries × k
    positions: Tensor  # int64, queries × k: among the keys


def nearest(queries: Tensor, keys: Tensor, k: int, *, exclude_self: bool = False) -> Neighbours:
    """The k keys of largest inner product with each query; for cosine give rows of length one (`exact.unit`).

    queries m × d, keys n × d, finite, on one device; scores are float32, off a CPU with the matmul precision the process
    has set. With `exclude_self` the queries are the keys, and none is its own neighbour. k above the number of keys to
    choose from is a TacitError.
    """
    choices = len(keys) - exclude_self
    if not 1 <= k <= choices:
        raise TacitError(f"{k} neighbours were asked for, but there are {choices} to choose from; ask for 1 to {choices}.")
    if exclude_self and len(queries) != len(keys):
        raise TacitError(f"exclude_self needs the queries to be the keys, but there are {len(queries)} and {len(keys)}.")
    queries, keys = queries.detach().float(), keys.detach().float()  # packed scores carry no gradient
    packed = torch.empty(len(queries), k, dtype=torch.int64, device=keys.device)
    left: Sequence[int] = range(0, len(queries), QUERIES)
    for low in _screening(keys.device):
        left = _screened(queries, keys, low, left, exclude_self, packed)
    for row in left:
        packed[row : row + QUERIES] = _nearest(queries[row : row + QUERIES], keys, k, row, exclude_self)
    return Neighbours(_score(packed >> 32), _LOW - (packed & _LOW))


def _screening(device: torch.device) -> list[torch.dtype]:
    """The precisions to screen in: bfloat16 only where the processor multiplies it faster than float32."""
    if device.type != "cpu" or torch.get_float32_matmul_precision() != "highest":
        return []
    able = torch.cpu.get_capabilities()
    return [torch.bfloat16, torch.float32] if able.get("avx512_bf16") or able.get("amx_bf16") else [torch.float32]


class Rounded(NamedTuple):
    """Rows beside what they are in the precision that screens."""

    rows: Tensor  # n × d, float32
    low: Tensor  # n × d
    norm: Tensor  # n
    centred: Tensor  # n: norm of what was rounded


def _screened(
    queries: Tensor, keys: Tensor, low: torch.dtype, rows: Sequence[int], exclude_self: bool, best: Tensor
) -> list[int]:
    """Fill `best`, m × k, for the tiles of queries that begin at `rows`; those of them that it leaves.

    From all keys the mean of some is taken: that moves all scores of a query by as much, and smaller keys lose less.
    """
    nothing, mean = _pack(torch.tensor(-torch.inf), torch.tensor(0)), keys[:KEYS].mean(0)
    left: list[int] = []
    room = torch.empty_like(keys[:KEYS])
    for first in range(0, len(rows), GROUP):
        tiles = {}
        for row in rows[first : first + GROUP]:
            best[row : row + QUERIES] = nothing
            tile = queries[row : row + QUERIES]
            tiles[row] = Rounded(tile, tile.to(low), norm := tile.norm(dim=1), norm)
        for start in range(0, len(keys), KEYS):
            tile = keys[start : start + KEYS]
            centred = torch.sub(tile, mean, out=room[: len(tile)])  # new pages would cost more than the subtraction
            rounded = Rounded(tile, centred.to(low), tile.norm(dim=1), centred.norm(dim=1))
            for row in list(tiles):
                diagonal = row - start if exclude_self else KEYS
                if _screen(tiles[row], rounded, mean, start, diagonal, best[row : row + QUERIES]):
                    continue
                if start == 0:  # the others will hardly do better
                    return [*left, *rows[first:]]
                del tiles[row]
        left += [row for row in rows[first : first + GROUP] if row not in tiles]
    return left


def _screen(asked: Rounded, tile: Rounded, mean: Tensor, start: int, diagonal: int, best: Tensor) -> bool:
    """Merge into `best` what a tile of keys has of the k best; False, and nothing is done, where too many could be.

    With ε the precision that screens: rounding the rows moves a score by at most (ε + ε²/4) |q| |k|, summing d products in
    float32 by 2⁻²³ d |q| |k|, here and where it is scored again, and rounding the sum by a share ε of it.
    """
    m, k = best.shape
    scores = asked.low @ tile.low.T
    if -m < diagonal < scores.shape[1]:
        scores.diagonal(diagonal).fill_(-torch.inf)
    blocks = _padded(scores).unflatten(1, (BLOCK, -1))
    highest = blocks.amax(dim=1).float()  # a block's members lie apart, so that maxima are taken of whole rows
    share, summed = torch.finfo(scores.dtype).eps, 3 * len(mean) * torch.finfo(torch.float32).eps
    error = asked.norm * (1.01 * share * tile.centred.max() + summed * (tile.norm.max() + mean.norm()))
    reached = _score(best[:, -1] >> 32) - asked.rows @ mean  # the k-th best is no worse
    if start == 0 and k <= highest.shape[1]:
        kth = highest.topk(k).values[:, -1]
        reached = kth - share * kth.abs() - error
    least = reached - error
    least = (least - share * least.abs()).nan_to_num(nan=LEAST, neginf=LEAST)[:, None]
    row, block = (highest >= least).nonzero(as_tuple=True)
    if len(row) > MOST * m:
        return False
    members = blocks[row, :, block].float() >= least[row]
    if int(members.sum()) > MOST * m:
        return False
    pair, place = members.nonzero(as_tuple=True)
    row, column = row[pair], place * blocks.shape[2] + block[pair]
    ends = torch.nn.functional.pad((count := row.bincount(minlength=m)).cumsum(0), (1, 0))
    packed = _pack(_products(asked.rows, tile.rows, ends, column), start + column)
    found = best.new_full((m, int(count.max())), torch.iinfo(best.dtype).min)
    found[row, torch.arange(len(row)) - ends[row]] = packed
    best.copy_(torch.cat([best, found], dim=1).topk(k).values)
    return True


def _products(queries: Tensor, keys: Tensor, ends: Tensor, column: Tensor) -> Tensor:
    """Inner products of each query with some keys: those of query i are `column[ends[i]:ends[i + 1]]`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        size = (len(queries), len(keys))
        pattern = torch.sparse_csr_tensor(ends, column, queries.new_zeros(len(column)), size, check_invariants=False)
        return torch.sparse.sampled_addmm(pattern, queries, keys.T, beta=0.0).values()


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
    blocks = _padded(scores).unflatten(1, (-1, BLOCK))
    count = blocks.shape[1]
    order = torch.arange(count, device=scores.device)
    ranked = _pack(blocks.amax(dim=2), order).topk(min(k, count)).values
    chosen = _LOW - (ranked & _LOW)  # m × blocks
    members = blocks.gather(1, chosen[:, :, None].expand(-1, -1, BLOCK))
    position = start + chosen[:, :, None] * BLOCK + torch.arange(BLOCK, device=scores.device)
    packed = _pack(members, position).flatten(1)
    return packed.topk(min(k, packed.shape[1])).values


def _padded(scores: Tensor) -> Tensor:
    """To whole blocks."""
    short = -scores.shape[1] % BLOCK
    return torch.nn.functional.pad(scores, (0, short), value=-torch.inf) if short else scores  # a pad of nothing copies


def _pack(scores: Tensor, position: Tensor) -> Tensor:
    bits = (scores + 0.0).view(torch.int32)  # adding 0 makes −0 equal to 0
    code = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # signed integers in the order of the floats
    return (code.long() << 32) + (_LOW - position)


def _score(code: Tensor) -> Tensor:
    code = code.int()
    return (code ^ ((code >> 31) & 0x7FFFFFFF)).view(torch.float32)
