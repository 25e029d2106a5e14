"""How well scores rank what is relevant, where that is a matter of degree."""

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision


def average_precision(scores: Tensor, relevance: Tensor, temperature: float) -> Tensor:
    """Of rankings … × s by scores, with relevance … × s in [0, 1], not all of it 0 -> …, at most 1.

    AP_θ is the average precision where what has a relevance above θ is relevant; this is the mean of AP_θ over thresholds,
    each weighted by how many lie above it, for which nothing need be decided:
    Σ_j Σ_k min(r_j, r_k) H(s_k − s_j) / rank_j / Σ_j r_j. As in Brown et al. 2020 (Smooth-AP, arXiv:2007.12163, equation 6) the
    step H is a sigmoid of this temperature; a thing counts before itself, and of relevance 0 or 1 it is theirs.
    """
    with full_precision():
        scores, relevance = scores.float(), relevance.float()
        itself = torch.eye(scores.shape[-1], dtype=torch.bool, device=scores.device)
        before = ((scores[..., None, :] - scores[..., :, None]) / temperature).sigmoid().masked_fill(itself, 1.0)
        both = torch.minimum(relevance[..., None, :], relevance[..., :, None])
        return ((before * both).sum(-1) / before.sum(-1)).sum(-1) / relevance.sum(-1)
