"""Two distances as a ratio: the one to the same must be small beside the one to another."""

from torch import Tensor

from tacit.numerics.exact import full_precision


def distance_ratio(anchor: Tensor, same: Tensor, other: Tensor) -> Tensor:
    """The mean of the squared share of the distance to the same: three n × d -> scalar in [0, 1].

    Hoffer and Ailon 2015 (arXiv:1412.6622), section 2.2: (e^d₊ / (e^d₊ + e^d₋))² of plain Euclidean distances. Their code's
    mean squared error, over both entries of the softmax, is the same number.
    """
    with full_precision():
        near, far = ((anchor.float() - one.float()).norm(dim=1) for one in (same, other))
        return (near - far).sigmoid().square().mean()
