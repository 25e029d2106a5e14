"""What methods of sequences ask of an encoder."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Sequential(Protocol):
    """n samples -> n × t × dim in order of time, each latent seeing a short stretch alone; and n × dim as every encoder."""

    dim: int

    def __call__(self, x: Any) -> Tensor: ...

    def sequence(self, x: Tensor) -> Tensor: ...


@runtime_checkable
class Words(Protocol):
    """Of texts: tokens from a vocabulary, whose vectors are the rows of `table` (row 0: no token)."""

    dim: int
    table: nn.Embedding

    def __call__(self, x: Any) -> Tensor: ...

    def tokens(self, x: Any, keep: Tensor | None = None) -> Tensor: ...
