"""One view predicts the cluster that another view was assigned to."""

from torch import Tensor

from tacit.numerics.exact import full_precision


def cross_entropy(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """Codes predicted from another view's scores: two n × k -> scalar (Caron et al. 2020, arXiv:2006.09882, equation 2)."""
    with full_precision():
        return -(codes * (scores.float() / temperature).log_softmax(1)).sum(1).mean()
