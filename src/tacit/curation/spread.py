"""Samples that cover all there is: each as far as can be from those before it."""

import torch


def farthest_first(x: torch.Tensor, count: int, first: int) -> torch.Tensor:
    """The positions of `count` rows of n × d, beginning with `first`, each the farthest from those before: int64.

    Gonzalez 1985: no choice of as many centres leaves a row less than half as far from its nearest one (k-centre). One pass
    over the rows for each choice.
    """
    if not 1 <= count <= len(x):
        raise ValueError(f"{count} of {len(x)} rows; give 1…n")
    norms = x.square().sum(1)
    chosen = torch.empty(count, dtype=torch.int64)
    nearest = torch.full((len(x),), torch.inf)
    for place in range(count):
        new = first if place == 0 else int(nearest.argmax())
        chosen[place] = new
        torch.minimum(nearest, norms + norms[new] - 2 * (x @ x[new]), out=nearest)
        nearest[new] = -torch.inf
    return chosen
