"""One view predicts the cluster that another view was assigned to."""

from torch import Tensor

from tacit.numerics.exact import full_precision


def swapped_prediction(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """The codes of the first a of v views, predicted from the scores of each of the others: v × n × k, a × n × k -> scalar.

    Caron et al. 2020 (arXiv:2006.09882), equations 1, 2 and 6: the cross-entropy with softmax(scores / temperature),
    averaged over the samples, the other views and the views that were assigned. Rows of codes sum to 1.
    """
    with full_precision():
        predicted = (scores.float() / temperature).log_softmax(-1)
        others = predicted.sum(0) - predicted[: len(codes)]  # a × n × k: no view predicts its own
        return -(codes * others).sum(-1).mean() / (len(scores) - 1)
