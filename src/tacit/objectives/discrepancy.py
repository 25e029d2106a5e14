"""Distances between embeddings that say how far samples differ: copies by what was edited, others by a margin."""

from itertools import combinations

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, rank, size, total
from tacit.numerics.tiling.few_rows import summed


def edit_proportion(z: Tensor, distance: Tensor) -> Tensor:
    """How far embeddings are from apart in proportion to edit distances: n × c × d and n × c, copy 0 unedited -> scalar.

    The mean over samples and pairs i < j of edited copies of (d_i / e_i − d_j / e_j)², d being Euclidean distances from copy
    0 and e edit distances. Kim, Baek and Hwang 2022 (D-SLA, arXiv:2202.02989), equation 5, as a mean as in the official code.
    Pairs of which a copy could not be edited (e = 0) do not count. Over the samples of all processes.
    """
    with full_precision():
        z, e = z.float(), distance[:, 1:].float()
        d = (z[:, 1:] - z[:, :1]).norm(dim=-1)
        pairs = list(combinations(range(e.shape[1]), 2))
        i, j = (torch.tensor(side, device=z.device) for side in zip(*pairs))
        counted = (e[:, i] > 0) & (e[:, j] > 0)
        ratio = d / torch.where(e > 0, e, 1.0)
        wrong = ((ratio[:, i] - ratio[:, j]).square() * counted).sum()
        return wrong * size() / total(counted.sum().float()).clamp(min=1)


def copies_within_others(original: Tensor, copies: Tensor, margin: float) -> Tensor:
    """How far copies are from nearer than all other samples by a margin: n × d and n × k × d -> scalar.

    The mean over samples, their k copies and the other samples of max(0, margin + d(original, copy) − d(original, other)).
    Equation 6 of the same, as a mean as in the official code; others are those of all processes, of which few rows of
    distances are held.
    """
    with full_precision():
        original, copies = original.float(), copies.float()
        everyone, n = gather(original), len(original)
        places = torch.arange(len(everyone), device=original.device)
        k = copies.shape[1]

        def hinges(some: Tensor, edited: Tensor, own: Tensor) -> Tensor:
            near = (edited - some[:, None]).norm(dim=-1)
            far = torch.cdist(some, everyone, compute_mode="donot_use_mm_for_euclid_dist")
            others = own[:, None] != places
            return ((margin + near[:, None, :] - far[:, :, None]).clamp_min(0) * others[:, :, None]).sum()

        mine = places[rank() * n : (rank() + 1) * n]
        return summed(hinges, original, copies, mine, width=k * len(everyone)) / (n * max(len(everyone) - 1, 1) * k)
