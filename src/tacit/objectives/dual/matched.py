"""Each first part finds its second part in the batch, and the other way round."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather
from tacit.numerics.tiles import across


def matched(first: Tensor, second: Tensor, scale: Tensor | float, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cross-entropy of row i choosing its own among all rows of the other side, by cosine times `scale`, in either direction:
    two n × d -> two scalars, over all processes.

    `smoothing` ε takes that share of the target from the own row and spreads it over all N (Szegedy et al. 2016,
    arXiv:1512.00567, section 7). With s_ij the scaled cosines this is log(1 + Σ_j≠i exp(s_ij − s_ii)) + ε (s_ii − mean_j s_ij),
    the last of which is a product with the mean of the other side: of N × N cosines only a tile is held. Every process computes
    it all.
    """
    with full_precision():
        mine, theirs = gather(unit(first)), gather(unit(second))
        itself = torch.arange(len(mine), device=mine.device)[:, None]
        rows, columns = across(mine * scale, theirs, hidden=itself)
        own = scale * (mine * theirs).sum(1)
        spread = smoothing * (own.mean() - scale * (mine.mean(0) * theirs.mean(0)).sum())
        return softplus(rows - own).mean() + spread, softplus(columns - own).mean() + spread
