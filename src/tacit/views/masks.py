"""Which patches of an image are hidden: single ones, or blocks. Every image hides equally many."""

import math

import torch
from torch import Tensor

from tacit.errors import TacitError

ATTEMPTS = 32  # blocks drawn for an image; what is still missing then is filled with single patches


def fitting_patch(height: int, width: int) -> int:
    """The side in pixels that cuts the image most nearly into 8 × 8, among those that cut it into 4 to 16."""
    sides = [side for side in range(1, height + 1) if not height % side and not width % side and 4 <= height // side <= 16]
    if not sides:
        raise TacitError(
            f"Images of {height} × {width} pixels cannot be cut evenly into 4 to 16 patches a side; "
            "give a view size such as 32 or 64, or the patch itself."
        )
    return min(sides, key=lambda side: abs(side - height / 8))


def fitting_stretch(span: int) -> int:
    """The fewest values, 2 or more, that cut a series of `span` values into 32 whole patches at most: patches of one value have
    no variance that a prediction could be standardised by."""
    return next((size for size in range(2, span) if span % size == 0 and span // size <= 32), span)


def grid_of(size: int, patch: int) -> int:
    """How many patches there are a side."""
    if patch < 1 or patch > size or size % patch:
        raise TacitError(
            f"A view of {size} × {size} pixels cannot be cut into patches of {patch} × {patch}; "
            "give a --mask-patch that divides its side, or another --size."
        )
    return size // patch


def scattered(draws: Tensor, hidden: int) -> Tensor:
    """The `hidden` patches with the largest draws: n × t -> bool n × t, True where hidden (He et al. 2021, section 3)."""
    order = draws.argsort(dim=1, stable=True)
    mask = torch.zeros_like(draws, dtype=torch.bool)
    return mask.scatter_(1, order[:, draws.shape[1] - hidden :], True)


def blocks(draws: Tensor, grid: int, hidden: int, area: tuple[float, float]) -> Tensor:
    """Block after block until `hidden` patches are: bool, n × grid² (Bao et al. 2021, arXiv:2106.08254, algorithm 1).

    draws uniform, n × (4 · ATTEMPTS + grid²); area the range of a block's share of the image. A block has no more patches
    than are still to be hidden, and an aspect ratio uniform in its logarithm between 0.3 and 1/0.3, as in the released code.
    Differs from it, so that every image hides exactly `hidden`: of the block that hides more some patches stay, chosen at
    random, and what is missing after all attempts is filled with single ones.
    """
    mask = torch.zeros(len(draws), grid, grid, dtype=torch.bool)
    earliness = torch.zeros(len(draws), grid, grid)
    line = torch.arange(grid)
    bound = math.log(1 / 0.3)
    low, high = (share * grid * grid for share in area)
    for number in range(ATTEMPTS):
        size, shape, down, across = draws[:, 4 * number : 4 * number + 4].unbind(1)
        missing = hidden - mask.sum((1, 2))
        size = (low + (missing.clamp(max=high) - low).clamp_min(0) * size).minimum(missing.clamp_min(0))
        aspect = (bound * (2 * shape - 1)).exp()
        height, width = ((size * by).sqrt().round().clamp(1, grid) for by in (aspect, 1 / aspect))
        top, left = (down * (grid - height + 1)).floor(), (across * (grid - width + 1)).floor()
        rows = (line >= top[:, None]) & (line < (top + height)[:, None])
        columns = (line >= left[:, None]) & (line < (left + width)[:, None])
        new = rows[:, :, None] & columns[:, None, :] & ~mask & (missing > 0)[:, None, None]
        earliness[new] = ATTEMPTS - number
        mask |= new
    return scattered(earliness.flatten(1) + draws[:, 4 * ATTEMPTS :], hidden)  # draws below 1 decide within a block
