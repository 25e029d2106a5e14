"""Codes of nodes that are like those of their neighbourhood and unlike all others."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather, rank
from tacit.numerics.tiles import between


def neighbourhood_contrast(z: Tensor, near: Tensor, sharpness: float) -> Tensor:
    """Of a node's likenesses to all nodes, the share that its neighbourhood has: n × d, sparse n × N -> scalar.

    near       how near the N nodes of all processes are to these n: coalesced, 0 or more
    sharpness  multiplies the cosines, as a temperature divides them (τ)

    The mean of −log(Σ_j a_ij exp(τ cos_ij) / Σ_j exp(τ cos_ij) + 1e-8): Kulatilleke et al. 2022 (arXiv:2204.12656) as their
    code has it, where cos_ii counts as 0, so that the node itself stays in both sums. The cosines are held in tiles, those of
    a neighbourhood one by one.
    """
    with full_precision():
        mine, everyone = unit(z), gather(unit(z))
        own = torch.arange(len(mine), device=z.device) + rank() * len(mine)
        others = between(sharpness * mine, everyone, own[:, None], sharpness)
        totals = torch.logaddexp(others, torch.zeros_like(others))  # and the node itself
        row, column = near.indices()
        likeness = sharpness * (mine[row] * everyone[column]).sum(1)
        parts = near.values() * (torch.where(column == own[row], 0.0, likeness) - totals[row]).exp()
        return -(torch.zeros_like(totals).index_add(0, row, parts) + 1e-8).log().mean()
