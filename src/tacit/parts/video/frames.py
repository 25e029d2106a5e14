"""What methods of single frames ask of an encoder."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Frames(Protocol):
    """Clips n × c × t × h × w -> n × dim; and each of their frames by itself, as a map -> n × t × dim × high × wide."""

    dim: int

    def __call__(self, x: Tensor) -> Tensor: ...

    def frames(self, x: Tensor) -> Tensor: ...
