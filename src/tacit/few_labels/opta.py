"""OpTA: what stands for each class of an episode is moved among what is asked."""

import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.method import Paper
from tacit.numerics.exact import full_precision
from tacit.numerics.sinkhorn import sinkhorn

paper = Paper(
    "BECLR: Batch Enhanced Contrastive Few-Shot Learning", "Poulakakis-Daktylidis, Jamali-Rad", 2024, "arXiv:2402.02444"
)


@torch.no_grad()
def opta(prototypes: Tensor, queries: Tensor, passes: int = 5, epsilon: float = 0.05, iterations: int = 100) -> Tensor:
    """Prototypes k × d moved to where equal shares of m queries are, `passes` times: k × d, m × d -> k × d, float32.

    Section 4.2 of the paper: the plan of least squared distances, over their largest and at `epsilon`, of which each prototype
    and each query has an equal share; a prototype becomes the mean of the queries by its row. Features of a sample are
    best standardised before (`standardised`). A TacitError where the two differ in width.

    checked: stypoumic/BECLR@8b33581
    Compared: one pass and five by its own OpTA.
    Differs: a fixed number of iterations, there until the plan settles, within 1 000.
    """
    positive(passes=passes, epsilon=epsilon, iterations=iterations)
    if prototypes.shape[1] != queries.shape[1]:
        raise TacitError(
            f"Prototypes have {prototypes.shape[1]} numbers and queries {queries.shape[1]}; give the same encoder's."
        )
    with full_precision():
        moved, queries = prototypes.float(), queries.float()
        for _ in range(passes):
            apart = torch.cdist(moved, queries).square()
            moved = sinkhorn(-apart / apart.max().clamp_min(1e-12), epsilon, iterations) @ queries
        return moved


def standardised(features: Tensor) -> Tensor:
    """Each row less its mean and over its standard deviation: n × d -> n × d, float32."""
    x = features.float()
    return (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True).clamp_min(1e-8)
