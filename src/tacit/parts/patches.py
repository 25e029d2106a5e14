"""Images as rows of patches, and where each lies."""

import torch
from torch import Tensor

from tacit.errors import TacitError


def cut(x: Tensor, patch: int) -> Tensor:
    """Images n × c × h × w -> their patches, n × (h/patch · w/patch) × (c · patch²), row by row."""
    n, c, h, w = x.shape
    pieces = x.reshape(n, c, h // patch, patch, w // patch, patch).permute(0, 2, 4, 1, 3, 5)
    return pieces.reshape(n, (h // patch) * (w // patch), c * patch**2)


def take(rows: Tensor, keep: Tensor) -> Tensor:
    """n × t × d and positions n × k -> n × k × d."""
    return rows.gather(1, keep[:, :, None].expand(-1, -1, rows.shape[2]))


def sincos(grid: tuple[int, int], span: tuple[int, int], dim: int) -> Tensor:
    """Positions of a grid spread evenly over `span`: (rows · columns) × dim, a quarter each of sines and cosines of x and y.

    Frequencies fall from 1 to 1/10000 as in Vaswani et al. 2017, section 3.5.
    """
    rate = 10000.0 ** -(torch.arange(dim // 4) / (dim // 4))
    y, x = ((torch.arange(g) + 0.5) * (s / g) - 0.5 for g, s in zip(grid, span))
    down, across = torch.meshgrid(y, x, indexing="ij")
    angles = torch.stack([across.flatten(), down.flatten()], 1)[:, :, None] * rate
    return torch.cat([angles.sin(), angles.cos()], 2).flatten(1)


def side_of_patches(encoder: object) -> int:
    """The side in pixels of the patches that an encoder cuts; TacitError where it does not say."""
    side = getattr(encoder, "patch", None)
    if not isinstance(side, int):
        raise TacitError(
            f"Patches are to be drawn and {type(encoder).__name__} does not say how large its own are; "
            "give it an attribute `patch`, their side in pixels."
        )
    return side
