"""Several models at once: the matrix of one similarity between all pairs, and the tree that it makes of them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.number import Number


class Merge(NamedTuple):
    """One step of the clustering of models: two groups become one."""

    left: int  # a model's place among the names, or len(names) + i for the i-th merge, from 0
    right: int
    similarity: float  # mean over all pairs across the two groups
    members: list[str]  # of both groups, left before right: those of the last merge are an order in which no branches cross


class Pairwise(NamedTuple):
    """One similarity between all pairs of models."""

    names: list[str]
    numbers: dict[tuple[str, str], Number]  # of each pair, in the order of the names

    @property
    def matrix(self) -> np.ndarray:
        """float64, models × models: symmetric, 1 on the diagonal, NaN where a pair could not be measured."""
        values = np.eye(len(self.names))
        for (first, second), number in self.numbers.items():
            i, j = self.names.index(first), self.names.index(second)
            values[i, j] = values[j, i] = number.value
        return values

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        pairs = [{"first": a, "second": b, **number.as_dict()} for (a, b), number in self.numbers.items()]
        return {"names": self.names, "pairs": pairs}


def pairwise(representations: Mapping[str, Tensor], similarity: Callable[[Tensor, Tensor], Number]) -> Pairwise:
    """A symmetric similarity (`cka_debiased`, `neighbour_jaccard`, …) of all pairs of representations, n × d each, one n."""
    names = list(representations)
    if len(names) < 2:
        raise TacitError(f"There are {len(names)} models to compare; give at least 2.")
    for name in names[1:]:
        _same_number(representations[names[0]], representations[name], repr(names[0]), repr(name))
    return Pairwise(names, {(a, b): similarity(representations[a], representations[b]) for a, b in combinations(names, 2)})


def tree(names: Sequence[str], matrix: np.ndarray) -> list[Merge]:
    """Hierarchical clustering of models by average linkage on 1 − similarity: the merges, most alike first.

    UPGMA (Sokal and Michener 1958): the similarity of two groups is the mean over all pairs across them. Of equally alike
    groups those of lowest number are merged first. `matrix` is symmetric, models × models.
    """
    count = len(names)
    if count < 2:
        raise TacitError(f"There are {count} models to put in a tree; give at least 2.")
    if matrix.shape != (count, count):
        raise TacitError(f"The similarities have shape {matrix.shape}; for {count} models give {count} × {count}.")
    if np.isnan(matrix).any():
        row, column = (int(place[0]) for place in np.nonzero(np.isnan(matrix)))
        raise TacitError(f"The similarity of {names[row]!r} and {names[column]!r} is missing; leave out the one at fault.")
    alike = np.full((2 * count - 1, 2 * count - 1), -np.inf)  # −∞: on the diagonal, merged already or not yet made
    alike[:count, :count] = np.where(np.eye(count, dtype=bool), -np.inf, matrix)
    members, merges = [[name] for name in names], []
    for new in range(count, 2 * count - 1):
        left, right = sorted(divmod(int(alike.argmax()), len(alike)))
        similarity, sizes = float(alike[left, right]), (len(members[left]), len(members[right]))
        alike[new] = alike[:, new] = np.average(alike[[left, right]], axis=0, weights=sizes)
        for gone in (left, right):
            alike[gone] = alike[:, gone] = -np.inf
        members.append(members[left] + members[right])
        merges.append(Merge(left, right, similarity, members[new]))
    return merges


def same_ids(ids: Mapping[str, Sequence[str]]) -> None:
    """Refuse representations whose rows are not the same samples in the same order, by the ids of their rows."""
    if len(ids) < 2:
        raise TacitError(f"There are {len(ids)} lists of ids to compare; give at least 2.")
    (reference, expected), *others = ids.items()
    for name, found in others:
        if list(found) == list(expected):
            continue
        if sorted(found) == sorted(expected):
            raise TacitError(f"{reference!r} and {name!r} hold the same samples in different orders; sort both by id.")
        stray = next(iter(set(found) ^ set(expected)), None)
        which = f"{stray!r} is in one alone" if stray is not None else "an id is repeated in one alone"
        raise TacitError(f"{reference!r} and {name!r} are of different samples: {which}; embed the same samples with both.")


def fault(first: Tensor, second: Tensor, fewest: int) -> str:
    """Why n × d₁ and n × d₂ cannot be compared, or nothing; different numbers of samples are a TacitError."""
    _same_number(first, second, "the first", "the second")
    if len(first) < fewest:
        return f"there are {len(first)} samples, at least {fewest} are needed."
    for which, features in (("first", first), ("second", second)):
        if bool((features == features[0]).all()):
            return f"all {len(features)} embeddings of the {which} representation are equal."
    return ""


def _same_number(first: Tensor, second: Tensor, one: str, other: str) -> None:
    if len(first) != len(second):
        counts = f"{len(first)} samples and {other} {len(second)}"
        raise TacitError(f"Of two representations {one} has {counts}; give both of the same samples.")
