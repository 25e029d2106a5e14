"""The most recent features, as a ring."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.numerics.exact import unit
from tacit.numerics.processes import rank, size
from tacit.parts.teacher import Teacher


class Queue(nn.Module):
    """A ring of rows of one width, the oldest overwritten by the newest; all zero until the owner or a push fills them.

    He et al. 2020 (arXiv:1911.05722), section 3.2.

    rows    length × dim
    at      int64 scalar: where the next push goes
    filled  int64 scalar: how many rows have been pushed, at most the length
    """

    rows: Tensor
    at: Tensor
    filled: Tensor

    def __init__(self, length: int, dim: int):
        super().__init__()
        positive(queue=length, dim=dim)
        self.register_buffer("rows", torch.zeros(length, dim))
        self.register_buffer("at", torch.zeros((), dtype=torch.int64))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @property
    def full(self) -> bool:
        """Whether every row has been pushed. Asking waits for the device, pushing does not."""
        return int(self.filled) == len(self.rows)

    @property
    def mine(self) -> Tensor:
        """The rows of which this process takes care where processes sum over all of them: every row is one process's."""
        return self.rows[rank() :: size()]

    def require(self, n: int) -> None:
        """Refuse batches of n rows where n is no divisor of the length."""
        if (length := len(self.rows)) % n:
            enough = (length // n + 1) * n
            raise TacitError(
                f"A queue of {length} cannot be filled in batches of {n}; give --queue {enough} or a batch that divides it."
            )

    @torch.no_grad()
    def push(self, rows: Tensor) -> None:
        """Put in n rows (n × dim), n a divisor of the length, in place of the oldest."""
        length, n = len(self.rows), len(rows)
        self.require(n)
        place = (self.at + torch.arange(n, device=self.rows.device)) % length
        self.rows.index_copy_(0, place, rows.to(self.rows))
        self.at.add_(n).remainder_(length)
        self.filled.add_(n).clamp_(max=length)


class KeyQueue(Queue):
    """MoCo's dictionary: the last `length` keys, of unit length, by a slow copy of a student; random directions at first.

    The student is given as what a sample passes through, one after another: an encoder and its projector.

    He et al. 2020 (arXiv:1911.05722), algorithm 1.
    """

    def __init__(self, length: int, dim: int, *student: nn.Module):
        super().__init__(length, dim)
        self.teacher = Teacher(nn.Sequential(*student))
        self.rows.copy_(unit(torch.randn(length, dim)))

    def keys(self, view: Tensor) -> Tensor:
        """n samples -> n × dim; hand them to `after_step`, where `take` puts them in."""
        return unit(self.teacher(view))

    def take(self, keys: Tensor, momentum: float, *student: nn.Module) -> None:
        """The keys of a batch in, and the slow copy a step on."""
        self.push(keys)
        self.teacher.follow(nn.Sequential(*student), momentum)
