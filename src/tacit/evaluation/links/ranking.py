"""Ranks of true links among all entities, other true links taken out ("filtered"): in batches, never entity by entity."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import bootstrap, wilson
from tacit.evaluation.number import Number

CELLS = 1 << 23  # scores at a time
DIRECTED = 0.5  # share of a relation's triples that hold the other way round too, below which it has a direction

Score = Callable[[Tensor, Tensor], Tensor]  # what is known of n links and their relations -> every entity's score, n × E


class Side(NamedTuple):
    """Which end of a link is asked for."""

    known: int  # column of a triple
    asked: int


TAILS, HEADS = Side(0, 2), Side(2, 0)


@torch.no_grad()
def filtered_ranks(score: Score, triples: Tensor, true: Tensor, entities: int, side: Side, *, reflexive: bool = True) -> Tensor:
    """The rank of each triple's entity among all that make no other true triple: int64 m × 3, K × 3 -> float64 m.

    1 is best; of equal scores the mean rank counts (Bordes et al. 2013, section 4, "filtered"; ties as in pykeen's "realistic"
    rank). `true` is everything known to be true, whatever its part. Not `reflexive`: nothing is compared with itself.
    """
    code, answers = _codes(true, side, entities), true[:, side.asked]
    order = code.argsort(stable=True)
    code, answers = code[order], answers[order]
    found = torch.empty(len(triples), dtype=torch.float64)
    size = max(CELLS // entities, 1)
    for start in range(0, len(triples), size):
        block = triples[start : start + size]
        scores = score(block[:, side.known], block[:, 1]).clone()
        if not scores.isfinite().all():
            raise TacitError("Some scores are infinite or no numbers, which cannot be ranked; train again at a lower rate.")
        own = scores.gather(1, block[:, side.asked, None])
        rows, others = _of(_codes(block, side, entities), code, answers)
        scores[rows, others] = -torch.inf
        scores.scatter_(1, block[:, side.asked, None], -torch.inf)
        if not reflexive:
            scores.scatter_(1, block[:, side.known, None], -torch.inf)
        level = (scores == own).sum(1).double()
        found[start : start + size] = (1 + (scores > own).sum(1) + level / 2).cpu()
    return found


def average_precision(ranks: Tensor, query: Tensor) -> Tensor:
    """Of the links that ask the same, ranked among what is no link of theirs: float64 n, int64 n -> one for each query.

    A query's i-th best link, of rank r among the wrong, stands at i + r − 1 among all: precision there is i / (i + r − 1).
    """
    order = np.lexsort((ranks.numpy(), query.numpy()))
    ranks, query = ranks[order], query[order]
    _, counts = query.unique_consecutive(return_counts=True)
    place = torch.arange(len(query)) - (counts.cumsum(0) - counts).repeat_interleave(counts) + 1
    precision = place / (place + ranks - 1)
    each = torch.arange(len(counts)).repeat_interleave(counts)
    return torch.zeros(len(counts), dtype=torch.float64).index_add_(0, each, precision) / counts


def directed(triples: Tensor, entities: int) -> Tensor:
    """For each relation whether it has a direction: most of its triples do not hold the other way round."""
    forth, back = (_codes(triples, side, entities) * entities + triples[:, side.asked] for side in (TAILS, HEADS))
    both = torch.isin(forth, back).double()
    count = triples[:, 1].bincount().clamp(min=1)
    return triples[:, 1].bincount(weights=both) / count < DIRECTED


def frequency(train: Tensor, entities: int, side: Side) -> Score:
    """The baseline that looks at the relation alone: how often an entity stood at that end of it."""
    relations = int(train[:, 1].max()) + 1
    seen = (train[:, 1] * entities + train[:, side.asked]).bincount(minlength=relations * entities)
    table = seen.view(relations, entities).float()
    return lambda known, relation: table[relation]


def link_numbers(tails: Tensor, heads: Tensor, has_direction: Tensor, **protocol: object) -> list[Number]:
    """MRR, hits and mean rank over both ends, MRR of each end, and of relations that have a direction: m ranks each."""
    both = torch.stack([tails, heads])
    told = {"test": len(tails), "ranked": "filtered; ties at their mean; heads and tails", **protocol}
    numbers = [_mrr("mrr", both, told)]
    for k in (1, 3, 10):
        hits = int((both <= k).sum())
        numbers.append(Number(f"hits_at_{k}", hits / both.numel(), *wilson(hits, both.numel()), told))
    numbers.append(_mean_rank(both, told))
    numbers += [_mrr(name, ranks[None], told) for name, ranks in (("mrr_tail", tails), ("mrr_head", heads))]
    if has_direction.any():
        numbers.append(_mrr("mrr_directed", both[:, has_direction], {**told, "test": int(has_direction.sum())}))
    return numbers


def hierarchy_numbers(ranks: Tensor, query: Tensor, **protocol: object) -> list[Number]:
    """mAP over queries and mean rank of links (Nickel and Kiela 2017, section 4.1), and how often the nearest is one."""
    told = {"test": len(ranks), "ranked": "true links among what is no link of the same, itself left out", **protocol}
    precision = average_precision(ranks, query).numpy()
    first = Number("hierarchy_map", float(precision.mean()), *bootstrap(precision, "hierarchy_map"), told)
    return [first, _mean_rank(ranks[None], told), _mrr("mrr", ranks[None], told)]


def _mrr(name: str, ranks: Tensor, told: dict[str, object]) -> Number:
    each = (1 / ranks).mean(0).numpy()  # a triple's two ends are not independent
    return Number(name, float(each.mean()), *bootstrap(each, name), dict(told))


def _mean_rank(ranks: Tensor, told: dict[str, object]) -> Number:
    each = ranks.mean(0).numpy()
    return Number("mean_rank", float(each.mean()), *bootstrap(each, "mean_rank"), dict(told))


def _codes(triples: Tensor, side: Side, entities: int) -> Tensor:
    """What is known of each, as one number."""
    return triples[:, 1] * entities + triples[:, side.known]


def _of(asked: Tensor, code: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    """All answers to each question, as pairs of its row and the answer; `code` is sorted."""
    begin, end = torch.searchsorted(code, asked), torch.searchsorted(code, asked, right=True)
    counts = end - begin
    rows = torch.arange(len(asked), device=asked.device).repeat_interleave(counts)
    within = torch.arange(len(rows), device=asked.device) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    return rows, answers[begin.repeat_interleave(counts) + within]
