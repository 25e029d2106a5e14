"""Samples near one another and far from corrupted ones."""

from collections.abc import Callable

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, total
from tacit.numerics.tiling.few_rows import summed

ACTIVE = 1e-6  # a distance, or a hinge, that counts


def augmented_negatives(clean: Tensor, corrupted: Tensor, margin: float, alpha: float) -> Tensor:
    """alpha times the mean distance of clean pairs, and the rest times the mean hinge to corrupted ones: two n × d -> scalar.

    Wilkie et al. 2025 (CLAN), as in jackwilkie/CLAN, loss/clan_loss.py: the distance is (1 − cos)/2; the mean of pairs is
    over the ordered ones farther than ACTIVE, which leaves out each with itself, and that of hinges, margin − distance over
    all n × n pairs, over those above it. Over the samples of all processes; of many a few rows of distances are held.
    """
    with full_precision():
        clean, everyone, others = unit(clean), gather(unit(clean)), gather(unit(corrupted))

        def apart(some: Tensor) -> Tensor:
            return _active((1 - some @ everyone.T) / 2)

        def hinge(some: Tensor) -> Tensor:
            return _active(torch.relu(margin - (1 - some @ others.T) / 2))

        return alpha * _active_mean(apart, clean, len(everyone)) + (1 - alpha) * _active_mean(hinge, clean, len(everyone))


def _active(values: Tensor) -> Tensor:
    """Their sum, and how many of them count."""
    return torch.stack([values.sum(), (values > ACTIVE).sum().float()])


def _active_mean(of: Callable[[Tensor], Tensor], rows: Tensor, width: int) -> Tensor:
    values, counts = total(summed(of, rows, width=width))
    return values / (counts.detach() + ACTIVE)
