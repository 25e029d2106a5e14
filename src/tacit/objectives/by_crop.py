"""Losses of each crop against each target of its sample, and their mean over crops of two sizes."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tacit.numerics.exact import full_precision
from tacit.numerics.tiles import between


def nce_by_crop(crops: Tensor, targets: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Each crop finds each target among m negatives: v × n × d, t × n × d, m × d, all of unit length -> v × t.

    InfoNCE (He et al. 2020, arXiv:1911.05722, equation 1), a mean over samples. Of the products with negatives, which serve
    all targets, only a tile is held.
    """
    with full_precision():
        crops, targets = crops.float() / temperature, targets.float()
        others = between(crops.flatten(0, 1), negatives.float()).view(len(crops), 1, -1)
        return softplus(others - torch.einsum("vnd,tnd->vtn", crops, targets)).mean(2)


def cross_entropy_by_crop(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """The codes of each target, told from the scores of each crop: v × n × k, t × n × k, rows that sum to 1 -> v × t."""
    with full_precision():
        told = (scores.float() / temperature).log_softmax(2)
        return -torch.einsum("vnk,tnk->vt", told, codes.float()) / scores.shape[1]


def over_sizes(losses: Tensor, large: int) -> Tensor:
    """The mean over the first `large` crops, none with the target of its own number, and that over the others: v × t -> scalar.

    Half of each (Zhou et al. 2022, arXiv:2203.14415, in their code); of large ones alone where there are no others.
    """
    same = torch.eye(*losses.shape, dtype=torch.bool, device=losses.device)
    of_large, of_small = losses[:large][~same[:large]].mean(), losses[large:]
    return (of_large + of_small.mean()) / 2 if len(of_small) else of_large
