"""What methods of graphs ask of an encoder, and what they read off a view of one."""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Messages(Protocol):
    """An encoder of nodes that hear of one another: a view of n nodes -> n × dim."""

    dim: int

    def __call__(self, x: Any) -> Tensor: ...

    def linear(self, view: Any) -> Tensor: ...  # the same without the activation of the last layer


def adjacency(view: Any, others: Tensor) -> Tensor:
    """To which of the nodes that a view is about an edge leads from which others: float32, n × k of 0 and 1.

    `others` are k different nodes by their numbers in the graph.
    """
    n, k, device = len(view.rows), len(others), view.rows.device
    place = torch.full((len(view.nodes),), n, device=device)
    place[view.rows] = torch.arange(n, device=device)
    source, target = view.nodes[view.edge_index[0]], place[view.edge_index[1]]
    ordered, order = others.sort()
    at = torch.searchsorted(ordered, source).clamp(max=k - 1)
    inside = (target < n) & (ordered[at] == source)
    found = torch.zeros(n, k, device=device)
    found[target[inside], order[at[inside]]] = 1.0
    return found
