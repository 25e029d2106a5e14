"""The latent that comes so many steps later is told from others by what has been."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tacit.numerics.exact import full_precision


def likeness(predictions: Tensor, latents: Tensor, others: Tensor) -> Tensor:
    """How well each prediction fits the latent that came, then the others: n × m × k × (1 + q).

    predictions  n × m × k × d: what moment t < m says of the 1, … k steps after it
    latents      n × t × d, t ≥ m + k
    others       n × m × q × d: negatives of each moment, the same for all k

    Their product, van den Oord et al. 2018 (arXiv:1807.03748, equation 3). The re-implementation of Rivière et al. 2020
    (arXiv:2002.02848) divides it by d.
    """
    moments, steps = predictions.shape[1:3]
    with full_precision():
        predictions, latents, others = predictions.float(), latents.float(), others.float()
        came = latents.unfold(1, steps, 1)[:, 1 : moments + 1].transpose(2, 3)  # n × m × k × d: from t + 1 to t + k
        own = (predictions * came).sum(3, keepdim=True)
        return torch.cat([own, predictions @ others.transpose(2, 3)], 3)


def latent_prediction(predictions: Tensor, latents: Tensor, others: Tensor) -> Tensor:
    """InfoNCE of every step (equation 4): `likeness`'s arguments -> k, the mean over moments and samples."""
    scores = likeness(predictions, latents, others)
    n, moments, steps, many = scores.shape
    flat = scores.transpose(1, 2).reshape(-1, many)
    wrong = cross_entropy(flat, torch.zeros(len(flat), dtype=torch.int64, device=flat.device), reduction="none")
    return wrong.view(n, steps, moments).mean((0, 2))
