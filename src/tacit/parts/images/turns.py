"""Pictures turned by quarters."""

import torch
from torch import Tensor

TURNS = 4


def turns(x: Tensor) -> tuple[Tensor, Tensor]:
    """Images n × c × s × s -> all of them turned anticlockwise by 0, 1, 2 and 3 quarters, 4n × …; and by how many, 4n."""
    turned = torch.cat([x.rot90(quarters, (2, 3)) for quarters in range(TURNS)])
    return turned, torch.arange(TURNS, device=x.device).repeat_interleave(len(x))


def turned(x: Tensor, which: Tensor) -> Tensor:
    """Each image turned by its own number of quarters, int64, n: n × c × s × s -> the same."""
    return turns(x)[0][which * len(x) + torch.arange(len(x), device=x.device)]
