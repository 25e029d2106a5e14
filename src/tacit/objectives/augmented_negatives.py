"""Samples near one another and far from corrupted ones."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, total

ACTIVE = 1e-6  # a distance, or a hinge, that counts


def augmented_negatives(clean: Tensor, corrupted: Tensor, margin: float, alpha: float) -> Tensor:
    """alpha times the mean distance of clean pairs, and the rest times the mean hinge to corrupted ones: two n × d -> scalar.

    Wilkie et al. 2025 (CLAN), as in jackwilkie/CLAN, loss/clan_loss.py: the distance is (1 − cos)/2; the mean of pairs is
    over the ordered ones farther than ACTIVE, which leaves out each with itself, and that of hinges, margin − distance over
    all n × n pairs, over those above it. Over the samples of all processes.
    """
    with full_precision():
        clean, corrupted = unit(clean), unit(corrupted)
        apart = (1 - clean @ gather(clean).T) / 2
        hinge = torch.relu(margin - (1 - clean @ gather(corrupted).T) / 2)
        return alpha * _active_mean(apart) + (1 - alpha) * _active_mean(hinge)


def _active_mean(values: Tensor) -> Tensor:
    return total(values.sum()) / (total((values > ACTIVE).sum().float()) + ACTIVE)
