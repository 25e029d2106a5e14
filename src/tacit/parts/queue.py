"""The most recent features, as a ring."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.numerics.processes import rank, size


class Queue(nn.Module):
    """A ring of `length` rows of `dim` numbers, the oldest overwritten by the newest; all zero until they are."""

    rows: Tensor
    pushed: Tensor  # rows ever pushed; on the host, so that asking for it waits for no device

    def __init__(self, length: int, dim: int):
        super().__init__()
        positive(queue=length, dim=dim)
        self.register_buffer("rows", torch.zeros(length, dim))
        self.register_buffer("pushed", torch.zeros((), dtype=torch.int64))

    @property
    def full(self) -> bool:
        """Whether every row has been pushed."""
        return int(self.pushed) >= len(self.rows)

    @property
    def mine(self) -> Tensor:
        """The rows of which this process takes care where processes sum over all of them: every row is one process's."""
        return self.rows[rank() :: size()]

    @torch.no_grad()
    def push(self, rows: Tensor) -> None:
        """Put in n rows (n × d), n a divisor of the size."""
        length, n = len(self.rows), len(rows)
        if length % n:
            even = max(length // n, 1) * n
            raise TacitError(f"A queue of {length} is not filled evenly by batches of {n}; give --queue {even}.")
        at = int(self.pushed) % length
        self.rows[at : at + n] = rows
        self.pushed += n
