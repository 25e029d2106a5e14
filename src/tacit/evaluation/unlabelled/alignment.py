"""How close two views of one thing are embedded, without labels."""

from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import bootstrap
from tacit.evaluation.number import Number
from tacit.numerics.spectra import distances


def alignment(first: Tensor, second: Tensor, alpha: float = 2.0) -> Number:
    """Mean ‖u − v‖^α over the directions of two views of each sample (n × d both): 0 is perfect, and 2 is unrelated at α = 2.

    Wang and Isola 2020, arXiv:2005.10242, section 4.1, α = 2. Read it beside uniformity: collapse aligns perfectly.
    """
    if first.shape != second.shape:
        raise TacitError(f"Alignment got views of shapes {tuple(first.shape)} and {tuple(second.shape)}; they must be equal.")
    each = distances(first, second, alpha).double().cpu().numpy()
    protocol = {"samples": len(each), "alpha": alpha, "interval": "bootstrap over samples, 1000 resamples, 95 %"}
    return Number("alignment", float(each.mean()), *bootstrap(each, "alignment"), protocol)
