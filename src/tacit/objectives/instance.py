"""Each sample as a class of its own: a feature against a bank of features."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import mean


def instance_softmax(feature: Tensor, bank: Tensor, index: Tensor, temperature: float) -> Tensor:
    """Each sample must find its own entry in the bank: n × d, N × d, n -> scalar (Wu et al. 2018, equation 2)."""
    with full_precision():
        return cross_entropy(unit(feature) @ bank.T / temperature, index)


def instance_nce(feature: Tensor, entries: Tensor, n: int, temperature: float, partition: Tensor) -> tuple[Tensor, Tensor]:
    """Tell a sample's own entry from m noise entries: n × d, n × (1 + m) × d (its own first) -> loss, partition.

    Wu et al. 2018 (arXiv:1805.01978), equations 4 to 7; the noise is uniform over the N samples. Where the partition
    constant is still 0 it is estimated from this batch (equation 8) and returned to be kept.
    """
    with full_precision():
        likeness = torch.einsum("nd,nmd->nm", unit(feature), entries)
        raw = (likeness / temperature).exp()
        estimate = mean(raw.detach().mean()) * n
        partition = torch.where(partition > 0, partition, estimate)
        noise = (entries.shape[1] - 1) / n
        posterior = raw / partition
        own = posterior[:, 0] / (posterior[:, 0] + noise)
        other = noise / (posterior[:, 1:] + noise)
        return -(own.log() + other.log().sum(1)).mean(), partition
