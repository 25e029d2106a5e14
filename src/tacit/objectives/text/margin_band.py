"""Those that are nearly alike are kept within a band below the positive."""

from torch import Tensor
from torch.nn.functional import relu

from tacit.numerics.exact import full_precision


def margin_band(cosines: Tensor, positive: Tensor, same: Tensor, low: float, high: float) -> Tensor:
    """Cosines with likely false negatives lie `low` to `high` below that with the positive: n × N, n, bool n × N -> scalar.

    ReLU(δ + low) + ReLU(−δ − high) for δ = cosine − positive where `same`, which is averaged over all n · N; elsewhere δ counts
    as 0, as in the code of Deng et al. 2023 (arXiv:2305.09892).
    """
    with full_precision():
        gap = (cosines.float() - positive.float()[:, None]) * same
        return (relu(gap + low) + relu(-gap - high)).mean()
