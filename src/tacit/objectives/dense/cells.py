"""Cells of two views' maps, and which of them show the same place (Xie et al. 2020, PixPro, arXiv:2011.10043)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from tacit.numerics.exact import full_precision, unit


def propagated(z: Tensor, values: Tensor, sharpness: float) -> Tensor:
    """Σ_j max(cos(z_i, z_j), 0)^γ · values_j / |values_j| of each cell i, itself included: n × h × w × d twice -> the same.

    The paper's equations 3 and 4: the weights of a cell are not scaled to a sum of 1.
    """
    with full_precision():
        rows = unit(z.float()).flatten(1, 2)
        alike = (rows @ rows.mT).clamp_min(0) ** sharpness
        return (alike @ unit(values.float()).flatten(1, 2)).view(values.shape)


def near(first: Mapping[str, Tensor], second: Mapping[str, Tensor], high: int, wide: int, reach: float) -> Tensor:
    """Which cells of two crops, drawn as ImageViews says, lie nearer than `reach` of the larger crop's cell's diagonal.

    Distances are in shares of the image, and a mirrored crop's cells lie where they were: bool, n × (h · w) × (h · w).
    """
    places, diagonals = zip(*(_cells(drawn["box"], drawn["flip"], high, wide) for drawn in (first, second)))
    apart = (places[0][:, :, None] - places[1][:, None]).norm(dim=3)
    return apart < reach * torch.maximum(*diagonals)[:, None, None]


def _cells(box: Tensor, flip: Tensor, high: int, wide: int) -> tuple[Tensor, Tensor]:
    """Where the middles of a crop's cells lie, n × (h · w) × 2, down and across, and a cell's diagonal, n."""
    down, across = ((torch.arange(count, device=box.device) + 0.5) / count for count in (high, wide))
    across = torch.where(flip[:, None], 1 - across, across)
    rows = (box[:, :1] + box[:, 2:3] * down)[:, :, None].expand(-1, -1, wide)
    columns = (box[:, 1:2] + box[:, 3:] * across)[:, None].expand(-1, high, -1)
    return torch.stack([rows, columns], 3).flatten(1, 2), torch.hypot(box[:, 2] / high, box[:, 3] / wide)


def agreement(prediction: Tensor, target: Tensor, pairs: Tensor) -> Tensor:
    """The mean cosine of an image's pairs, then of images: two n × h × w × d, bool n × (h · w) × (h · w) -> scalar."""
    with full_precision():
        cosines = unit(prediction.float()).flatten(1, 2) @ unit(target.float()).flatten(1, 2).mT
        return ((cosines * pairs).sum((1, 2)) / (pairs.sum((1, 2)) + 1e-6)).mean()
