"""Where the sampled patches of a crop lie, and what another crop of the same image shows there."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.method import Batch


class Crop(NamedTuple):
    """A crop of n images: what of it is sampled, and where it lies."""

    grid: tuple[int, int]  # patches down and across
    cells: Tensor  # int64, n × s: the sampled patches
    places: Tensor  # n × s × 2: where they lie in the image
    drawn: Mapping[str, Tensor]  # box and flip, as ImageViews says


def sampled(batch: Batch, patch: int, windows: tuple[int, int]) -> list[Crop]:
    """All crops of a batch, of two large ones first; alike are sampled all large ones of an image, and all its small ones."""
    crops = []
    for v, (view, drawn) in enumerate(zip(batch, batch.params)):
        name, window = ("small", windows[1]) if v >= 2 else ("large", windows[0])
        grid = view.shape[2] // patch, view.shape[3] // patch
        count = (grid[0] // window) * (grid[1] // window)
        if not count:
            raise TacitError(
                f"A crop has {grid[0]} × {grid[1]} patches and its windows are {window} × {window}; give smaller --windows, "
                "crops of more pixels or an encoder with smaller patches."
            )
        cells = stratified(batch.uniform(name, 2 + count), grid, window)
        crops.append(Crop(grid, cells, places(cells, grid, drawn), drawn))
    return crops


def stratified(draws: Tensor, grid: tuple[int, int], window: int) -> Tensor:
    """One patch of each `window` × `window` of a grid: uniform draws n × (2 + s) -> int64, n × s, row by row.

    Where windows do not fill the grid they lie at one of its sides; the first two draws say at which, down and across.
    """
    down, across = (side // window for side in grid)
    rest = torch.tensor([grid[0] - down * window, grid[1] - across * window], device=draws.device)
    top, left = ((draws[:, :2] >= 0.5) * rest).unbind(1)
    within = (draws[:, 2:] * window**2).long()
    which = torch.arange(down * across, device=draws.device)
    rows = which // across * window + within // window + top[:, None]
    columns = which % across * window + within % window + left[:, None]
    return rows * grid[1] + columns


def places(cells: Tensor, grid: tuple[int, int], drawn: Mapping[str, Tensor]) -> Tensor:
    """Where patches of a crop lie, in shares of the image: int64 n × s -> n × s × 2, down and across.

    The first and the last patch of a row lie at the crop's edges, as in the released code.
    """
    down, across = (cells // grid[1]) / max(grid[0] - 1, 1), (cells % grid[1]) / max(grid[1] - 1, 1)
    across = torch.where(drawn["flip"][:, None], 1 - across, across)
    return drawn["box"][:, None, :2] + drawn["box"][:, None, 2:] * torch.stack([down, across], 2)


def shown(there: Tensor, crop: Crop) -> tuple[Tensor, Tensor]:
    """Places n × s × 2 by a crop's t patches: bilinear weights n × s × t, rows that sum to 1, and whether it shows them: bool,
    n × s."""
    box, flip = crop.drawn["box"][:, None], crop.drawn["flip"][:, None]
    share = (there - box[:, :, :2]) / box[:, :, 2:]
    within = ((share > 0) & (share < 1)).all(2)
    down, across = share.clamp(0, 1).unbind(2)
    across = torch.where(flip, 1 - across, across)
    rows, columns = (_tents(at * (side - 1), side) for at, side in zip((down, across), crop.grid))
    return (rows[:, :, :, None] * columns[:, :, None]).flatten(2), within


def _tents(at: Tensor, side: int) -> Tensor:
    """Linear weights of the whole numbers up to a side for numbers between them: n × s -> n × s × side."""
    return (1 - (at[:, :, None] - torch.arange(side, device=at.device)).abs()).clamp_min(0)
