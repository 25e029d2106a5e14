"""Blocks of pixels that lie anywhere, until they cover as much of a picture as they are to."""

import torch
from torch import Tensor

MOST = 128  # blocks that are tried; as good as always fewer are enough


def blocks(draws: Tensor, share: Tensor, side: int, largest: float = 0.3) -> Tensor:
    """As many blocks one after another as cover a share of a picture's pixels: bool, n × side × side.

    draws uniform, n × MOST × 4: corner, height and width, which are whole pixels below `largest` · side, one at least; share n.
    The blocks may overlap and reach over the edge, where they are cut (Atito et al. 2021, SiT, arXiv:2104.03602, section 3.1).
    How many are enough is found by halving, so that no block waits for another.
    """
    line, longest = torch.arange(side, device=draws.device), max(int(largest * side), 2)
    corner = (draws[..., :2] * (side - 1)).floor()
    end = corner + 1 + (draws[..., 2:] * (longest - 1)).floor()
    rows, columns = ((line >= corner[..., i, None]) & (line < end[..., i, None]) for i in range(2))
    number = torch.arange(draws.shape[1], device=draws.device)

    def covered(count: Tensor) -> Tensor:
        first = (rows & (number < count[:, None])[:, :, None]).float()
        return torch.einsum("nkh,nkw->nhw", first, columns.float()) > 0

    low, high = torch.zeros_like(share, dtype=torch.int64), torch.full_like(share, draws.shape[1], dtype=torch.int64)
    for _ in range(draws.shape[1].bit_length()):
        middle = (low + high) // 2
        enough = covered(middle).sum((1, 2)) >= share * side**2
        low, high = torch.where(enough, low, middle + 1).minimum(high), torch.where(enough, middle, high)
    return covered(high)
