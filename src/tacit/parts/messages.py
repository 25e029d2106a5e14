"""What methods of graphs ask of an encoder, and what they read off a view of one."""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from tacit.method import Encoder


@runtime_checkable
class Messages(Encoder, Protocol):
    """An encoder of nodes that hear of one another: a view of n nodes -> n × dim."""

    dim: int

    def linear(self, view: Any) -> Tensor: ...  # the same without the activation of the last layer


def adjacency(view: Any) -> Tensor:
    """Which of the nodes that a view is about have an edge to which: float32, n × n of 0 and 1, row to column."""
    n = len(view.rows)
    place = torch.full((len(view.degree),), n, device=view.rows.device)
    place[view.rows] = torch.arange(n, device=view.rows.device)
    source, target = place[view.edge_index]
    inside = (source < n) & (target < n)
    found = torch.zeros(n, n, device=view.rows.device)
    found[source[inside], target[inside]] = 1.0
    return found
