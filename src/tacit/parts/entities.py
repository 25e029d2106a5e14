"""What methods of triples ask of an encoder."""

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Entities(Protocol):
    """A table with a row for each entity, in which positions of any shape are looked up."""

    dim: int
    table: nn.Embedding

    def __call__(self, x: Tensor) -> Tensor: ...

    def lookup(self, index: Tensor) -> Tensor: ...

    def to_sphere(self) -> None: ...
