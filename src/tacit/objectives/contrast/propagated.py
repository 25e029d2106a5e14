"""A sample and what was reached from it, each against the nearest of a bank."""

from typing import NamedTuple

from torch import Tensor

from tacit.numerics.exact import full_precision

LEAST = 1e-7  # added to a share before its logarithm is taken, as in the released code


class Propagated(NamedTuple):
    """Two terms, each a mean over the batch."""

    instance: Tensor  # scalar: oneself
    invariance: Tensor  # scalar: what was reached


def propagated(
    likeness: Tensor, index: Tensor, reached: Tensor, temperature: float, background: int, hardest: int
) -> Propagated:
    """Oneself and the least alike of those reached, as shares of the nearest: n × N, int64 n, int64 n × r -> two scalars.

    Wang et al. 2020 (arXiv:2010.11694), as in their released code. With e = exp(likeness / temperature) and B the sum of the
    `background` largest e of a row: −log(e_self / B), and −log(Σ e / (B − e_self)) over the `hardest` smallest of those
    reached. These may repeat and need not be among the nearest, so the second share may be above 1.
    """
    with full_precision():
        raised = ((likeness.float() - 1) / temperature).exp()  # shares are the same, and no exponential too large
        own = raised.gather(1, index[:, None])[:, 0]
        near = raised.topk(min(background, raised.shape[1]), sorted=False).values.sum(1)
        least = raised.gather(1, reached).topk(min(hardest, reached.shape[1]), largest=False, sorted=False).values.sum(1)
        return Propagated(-(own / near + LEAST).log().mean(), -(least / (near - own) + LEAST).log().mean())
