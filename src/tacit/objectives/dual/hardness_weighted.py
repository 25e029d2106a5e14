"""Finding one's own among others of which the hard ones count more."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tacit.numerics.exact import full_precision, unit
from tacit.numerics.processes import gather
from tacit.numerics.tiles import across


def hardness_weighted(first: Tensor, second: Tensor, temperature: float, alpha: float) -> Tensor:
    """InfoNCE in both directions, halved, in which negative j of row i weighs exp(α cos_ij), through which no gradient goes:
    two n × d -> scalar, over all processes.

    Lan et al. 2025 (arXiv:2503.04812), section 3.2. The weight acts on the cosine itself, not on the cosine over the
    temperature; the positive weighs 1, and α = 0 is InfoNCE. A weighted negative is a product with (1/τ + α) in place of 1/τ,
    of whose gradient the share 1 / (1 + α τ) is passed on: so only a tile of all products is held.
    """
    with full_precision():
        mine, theirs = gather(unit(first)), gather(unit(second))
        own = (mine * theirs).sum(1) / temperature
        itself = torch.arange(len(mine), device=mine.device)[:, None]
        sharper, passed = 1 / temperature + alpha, 1 / (1 + alpha * temperature)
        others = across(mine * sharper, theirs, hidden=itself)
        passing = [sums.detach() * (1 - passed) + sums * passed for sums in others]
        return torch.stack([softplus(sums - own).mean() for sums in passing]).mean()
