"""True triples above corrupted ones by a margin."""

from torch import Tensor


def margin_ranking(true: Tensor, corrupted: Tensor, margin: float) -> Tensor:
    """How far each corrupted triple comes nearer than the margin: scores n and n × k -> scalar.

    Yang et al. 2014 (arXiv:1412.6575), equation 5 (Bordes et al. 2013, equation 1, with scores for distances), as a mean over
    all pairs where the paper has the sum.
    """
    return (margin + corrupted - true[:, None]).clamp_min(0).mean()
