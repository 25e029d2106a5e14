"""How well the parts of a sample find each other, and classes by their names: recall at k and zero-shot accuracy."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.intervals import bootstrap, wilson
from tacit.evaluation.number import Number
from tacit.numerics.exact import unit

TILE = 1024  # queries compared at once
AT = (1, 5, 10)
KEPT = 128  # of the principal directions of either side that the correlations are sought among
FITTED = 20_000  # samples that they are found by, at most

Score = Callable[[Tensor, Tensor], Tensor]  # n × d, m × d -> n × m, larger is nearer


def ranks(queries: Tensor, others: Tensor, of_query: Tensor, of_other: Tensor, score: Score) -> Tensor:
    """How many of the others are at least as near to a query as the nearest that belongs to it, and belong to something else:
    int64, one per query; 0 is best.

    queries n × d, others m × d; of_query int64, n and of_other int64, m: what each belongs to. What is equally near counts
    against, so a collapsed representation finds nothing.
    """
    found = [torch.empty(0, dtype=torch.int64)]
    for start in range(0, len(queries), TILE):
        near = score(queries[start : start + TILE], others)
        own = of_query[start : start + TILE, None] == of_other
        best = near.masked_fill(~own, -torch.inf).amax(1, keepdim=True)
        found.append(((near >= best) & ~own).sum(1))
    return torch.cat(found)


def matching_numbers(first: Tensor, second: Tensor, owner: Tensor, score: Score, names: tuple[str, str]) -> list[Number]:
    """Recall at 1, 5 and 10 of n first parts finding a second part of theirs, and of each of m second parts finding its first
    part: n × d, m × d, int64 m. Of several second parts the nearest counts. Intervals: Wilson's; where first parts have
    several, a bootstrap over first parts.
    """
    each = torch.arange(len(first))
    numbers = []
    sides = ((names[0], ranks(first, second, each, owner, score)), (names[1], ranks(second, first, owner, each, score)))
    for name, found in sides:
        for k in AT:
            hit = (found < k).double()
            if len(hit) > len(first):
                share = torch.zeros(len(first)).double().index_add(0, owner, hit) / owner.bincount(minlength=len(first))
                value, interval = float(hit.mean()), bootstrap(share.numpy(), name)
            else:
                value, interval = float(hit.mean()), wilson(int(hit.sum()), len(hit))
            told = {"queries": len(hit), "candidates": len(second) if name == names[0] else len(first), "test": len(first)}
            numbers.append(Number(f"{name}_at_{k}", value, *interval, told))
    return numbers


def zero_shot(images: Tensor, prompts: Sequence[Tensor], labels: Tensor, score: Score) -> Number:
    """Accuracy of naming the class whose prompts are nearest on average: n × d, a k × d of each class, int64 n.

    Radford et al. 2021 (arXiv:2103.00020, section 3.1.4) average the prompts' vectors; here their scores are averaged, which
    has a meaning in any geometry.
    """
    each = torch.stack([score(images, some).mean(1) for some in prompts], 1)
    best = each.amax(1, keepdim=True)
    guess = torch.where((each == best).sum(1) == 1, each.argmax(1), -1)  # who cannot choose has not named it
    hits = int((guess == labels).sum())
    common = f"{100 * float(labels.bincount().max()) / len(labels):.1f} %"
    told = {"test": len(labels), "classes": len(prompts), "prompts": len(prompts[0]), "most common class": common}
    return Number("zero_shot", hits / len(labels), *wilson(hits, len(labels)), told)


def cosine(x: Tensor, y: Tensor) -> Tensor:
    return unit(x) @ unit(y).T


def dot(x: Tensor, y: Tensor) -> Tensor:
    return x @ y.T


def poincare(x: Tensor, y: Tensor) -> Tensor:
    """Minus the distance in the unit ball, up to what rises with it."""
    x, y = x.double(), y.double()
    room = (1 - x.square().sum(1))[:, None] * (1 - y.square().sum(1))
    return -(x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T) / room.clamp_min(1e-20)


SCORES: dict[str, Score] = {"cosine": cosine, "dot": dot, "poincare": poincare}


class Correlated:
    """Canonical correlations (Hotelling 1936, Biometrika 28) of two sides of raw numbers, among the KEPT principal directions
    of each: what a linear map knows of which belongs to which. Directions weigh as much as they correlate.
    """

    def __init__(self, first: Tensor, second: Tensor):
        """n × p and n × q, row i of one belonging to row i of the other."""
        chosen = np.linspace(0, len(first) - 1, min(len(first), FITTED)).astype(int)
        self.sides = [_Whitened(side[chosen]) for side in (first, second)]
        x, y = (side(rows[chosen]) for side, rows in zip(self.sides, (first, second)))
        left, strength, right = torch.linalg.svd(x.T @ y / len(chosen), full_matrices=False)
        self.maps = [left * strength.sqrt(), right.T * strength.sqrt()]

    def __call__(self, rows: Tensor, part: int) -> Tensor:
        """Rows of one side -> n × k, to be compared by cosine."""
        return self.sides[part](rows) @ self.maps[part]


class _Whitened:
    """Centred rows in principal directions, each of variance one."""

    def __init__(self, rows: Tensor):
        self.mean = rows.mean(0)
        kept = min(KEPT, len(rows) // 4 + 1, rows.shape[1])
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)  # of the random projection by which directions are found
            _, sizes, self.directions = torch.svd_lowrank(rows - self.mean, kept, niter=4)
        self.sizes = sizes.clamp_min(1e-3 * float(sizes[0]) + 1e-12) / len(rows) ** 0.5

    def __call__(self, rows: Tensor) -> Tensor:
        return (rows - self.mean) @ self.directions / self.sizes
