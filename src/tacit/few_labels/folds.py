"""Every sample is answered by a head that has not seen its label."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from tacit.evaluation.labelled.graphs import stratified
from tacit.numerics import counter

Model = TypeVar("Model")


def folds(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Test parts with classes in equal shares, as far as that goes: bool, k × n with k ≤ count; labels 0…C−1, n.

    The only sample of its class is in none of them: it is learned from, and cannot be judged. So whatever a fold leaves
    to learn from has all classes.
    """
    alone = np.bincount(labels)[labels] == 1
    held = stratified(labels, min(count, len(labels)), counter.key(seed, "few labels, folds")) & ~alone
    return held[held.any(1)]


def crossed(fit: Callable[[np.ndarray], Model], answer: Callable[[Model, np.ndarray], Tensor], held: np.ndarray) -> Tensor:
    """The logits of every judged sample by the model of the other folds, in order: m × C.

    fit     the rows to learn from -> a model
    answer  a model, rows -> their logits
    """
    parts = [np.flatnonzero(part) for part in held]
    logits = [answer(fit(np.flatnonzero(~part)), rows) for part, rows in zip(held, parts)]
    return torch.cat(logits)[torch.from_numpy(np.argsort(np.concatenate(parts)))]
