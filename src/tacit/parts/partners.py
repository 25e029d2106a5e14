"""Partners that are found once, before training: the nearest of each sample."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest


class Partners(nn.Module):
    """The `neighbours` nearest of each of n samples by cosine, never itself; saved with the method.

    Raises TacitError where there are not so many others.
    """

    positions: Tensor  # int64, n × neighbours; −1 until they are found

    def __init__(self, n: int, neighbours: int):
        super().__init__()
        if n <= neighbours:
            raise TacitError(f"{neighbours} neighbours are more than {n} samples have; give fewer --neighbours.")
        self.register_buffer("positions", torch.full((n, neighbours), -1))

    def found(self, embed: Callable[[], Tensor]) -> Tensor:
        """The positions; what embeds all samples, n × d, is asked the first time alone."""
        if self.positions[0, 0] < 0:
            rows = unit(embed())
            self.positions.copy_(nearest(rows, rows, self.positions.shape[1], exclude_self=True).positions)
        return self.positions
