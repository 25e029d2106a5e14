"""Whether unusual windows lie farther from those of the training part than usual ones do."""

import torch
from torch import Tensor

from tacit.evaluation.labelled.anomalies import auroc
from tacit.evaluation.number import NAN, Number, missing

NEAREST = 3  # training windows to which the distance is measured
NEAR = 100  # moments that the highest score may lie beside the anomaly, as in the UCR anomaly archive
ROWS = 1024  # test windows compared at once


def window_scores(train: Tensor, test: Tensor, k: int = NEAREST) -> Tensor:
    """Mean Euclidean distance to the k nearest training windows: n × d and m × d -> m."""
    k = min(k, len(train))
    near = [torch.cdist(tile, train.float()).topk(k, largest=False).values.mean(1) for tile in test.float().split(ROWS)]
    return torch.cat(near)


def anomaly_numbers(scores: Tensor, starts: Tensor, window: int, unusual: Tensor) -> list[Number]:
    """AUROC of windows that hold an unusual moment, and whether the highest score lies near one.

    scores  m, of windows that begin at `starts` (int64, m); unusual bool, one per moment of the series

    The second is the score of the UCR anomaly archive (Wu and Keogh 2021, arXiv:2009.13807): whether the window with the
    highest score has its middle within NEAR moments of the anomaly.
    """
    passed = torch.cat([torch.zeros(1, dtype=torch.int64), unusual.long().cumsum(0)])
    holds = passed[starts + window] > passed[starts]
    names = ("anomaly_auroc", "anomaly_found")
    if not holds.any() or holds.all():
        why = f"of {len(holds):,} test windows {int(holds.sum()):,} hold an unusual moment; both kinds are needed."
        return [missing(name, why) for name in names]
    if not scores.isfinite().all():
        return [missing(name, "some embeddings are not finite.") for name in names]
    middle = int(starts[scores.argmax()]) + window // 2
    beside = int((unusual.nonzero().flatten() - middle).abs().min())
    protocol = {"windows": len(scores), "unusual": int(holds.sum()), "score": f"mean distance to {NEAREST} training windows"}
    told = protocol | {"interval": "none: windows overlap, and there is little that is unusual"}
    found = float(beside <= NEAR)
    return [
        Number("anomaly_auroc", auroc(scores[~holds], scores[holds]), NAN, NAN, told),
        Number("anomaly_found", found, NAN, NAN, {**told, "highest score at": middle, "moments beside": beside}),
    ]
