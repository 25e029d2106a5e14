"""Latents of the coming steps, told from others of the same sequence."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tacit.numerics.exact import full_precision


def steps_ahead(predictions: Tensor, z: Tensor, others: Tensor, offset: int) -> Tensor:
    """Binary noise-contrastive loss of several steps: n × t × k × d, n × t × d, int64 n × t × m -> scalar.

    Head j of the prediction at time i, j from 0, is to tell z[i + offset + j] from the m latents whose times others[i + offset
    + j] names: logistic losses of dot products, every one of weight 1, for each that is predicted (Schneider et al. 2019,
    arXiv:1904.05862, equation 1 with λ the number of negatives; fairseq's criterion divides so). Heads that reach beyond the
    end are left out.
    """
    _, t, heads, _ = predictions.shape
    with full_precision():
        predictions, z = predictions.float(), z.float()
        total, count = z.new_zeros(()), 0
        for j in range(min(heads, t - offset)):
            shift = offset + j
            told = predictions[:, : t - shift, j]
            right = (told * z[:, shift:]).sum(2)
            every = torch.einsum("ntd,nsd->nts", told, z)
            wrong = every.gather(2, others[:, shift:])
            total = total + F.softplus(-right).sum() + F.softplus(wrong).sum()
            count += right.numel()
        return total / count


def elsewhere(draws: Tensor) -> Tensor:
    """Uniform draws n × t × m -> times other than the row's own, each as likely: int64, n × t × m."""
    t = draws.shape[1]
    other = (draws * (t - 1)).long().clamp_max(t - 2)
    return other + (other >= torch.arange(t, device=draws.device)[:, None])
