"""An encoder of which a method sees only the first numbers, several times over at the cost of one pass."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import pad

from tacit.errors import TacitError


class Nested(nn.Module):
    """Another encoder, whose answers are cut behind the first `size` numbers and filled with zeros to their width.

    A linear layer behind it uses its first columns and its whole bias, and an answer brought to length one is the prefix
    brought to length one. Within `again`, call number i is answered with what call number i was answered the first time.
    """

    def __init__(self, whole: Any):
        super().__init__()
        self.whole, self.dim, self.size = whole, whole.dim, whole.dim
        self.answers: list[Tensor] = []
        self.calls = 0

    def forward(self, x: Any) -> Tensor:
        if self.calls == len(self.answers):
            self.answers.append(self.whole(x))
        z = self.answers[self.calls]
        self.calls += 1
        return pad(z[..., : self.size], (0, self.dim - self.size))

    def again(self, step: Callable[[], Any], sizes: tuple[int, ...]) -> list[Any]:
        """What `step` says where it sees so many numbers, for each of several sizes."""
        if type(self) is not Nested:  # then chunks of it would be computed once more where the size is another
            raise TacitError("Prefixes of one representation share a pass, which chunks would repeat; leave --chunk out.")
        found = []
        try:
            for size in sizes:
                self.size, self.calls = size, 0
                found.append(step())
                if not self.calls:
                    raise TacitError("This method does not ask the encoder it was given, so it cannot be nested; take another.")
        finally:
            self.answers, self.calls, self.size = [], 0, self.dim
        return found
