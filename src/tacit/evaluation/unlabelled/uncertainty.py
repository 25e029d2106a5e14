"""Whether a representation knows where it errs: an uncertainty against the errors of the nearest neighbour."""

import math

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import Z, subsample
from tacit.evaluation.labelled.detection import area_components, auroc
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest

LIMIT = 16384  # samples: the time grows with their square


def r_auroc(features: Tensor, labels: Tensor) -> Number:
    """R-AUROC with the negative length of the feature as uncertainty, for encoders without one of their own: n × d, int64 n."""
    lengths = features.double().norm(dim=1)
    if float(lengths.max() - lengths.min()) <= 1e-5 * float(lengths.max()):
        return missing("r_auroc", "all features have the same length, so it cannot tell sure from unsure.")
    return r_auroc_of(features, labels, -lengths, "negative length of the feature")


def r_auroc_of(features: Tensor, labels: Tensor, uncertainty: Tensor, source: str) -> Number:
    """AUROC of an uncertainty, one per sample, for the nearest other sample being of another class: 0.5 is chance.

    Kirchhof et al. 2023 (URL, arXiv:2307.03810): neighbours by cosine within the evaluated samples, of features
    n × d with labels int64, n. Their code takes the second of the two best, which where two samples are equal can be the
    sample itself; here no sample is its own neighbour. `source` names the uncertainty, for the protocol. They recommend it on
    classes that training did not see.
    """
    if len(uncertainty) != len(features):
        raise TacitError(f"R-AUROC got {len(uncertainty)} uncertainties of {len(features)} samples; give one of each.")
    rows = torch.from_numpy(subsample(len(features), LIMIT, "r_auroc")).to(features.device)
    x, y = unit(features[rows]), labels[rows]
    if len(x) < 2:
        return missing("r_auroc", f"a nearest neighbour needs at least 2 samples, and there is {len(x)}.")
    right = (y[nearest(x, x, 1, exclude_self=True).positions[:, 0]] == y).cpu().numpy()
    sure = -uncertainty.double()[rows].cpu().numpy()
    hits = int(right.sum())
    if not 2 <= hits <= len(right) - 2:
        why = f"the nearest neighbour of {hits} of {len(right)} samples is right; 2 right and 2 wrong ones are needed."
        return missing("r_auroc", why)
    value = auroc(sure[right], sure[~right])
    half = Z * math.sqrt(sum(float((part**2).sum()) for part in area_components(sure[right], sure[~right])))
    protocol = {
        "samples": len(right),
        "uncertainty": source,
        "recall_at_1": hits / len(right),
        "similarity": "cosine",
        "interval": "DeLong et al. 1988, 95 %: which neighbours there are is taken as given",
    }
    if len(right) < len(features):
        protocol["drawn_from"] = len(features)
    if half == 0:
        protocol["interval"] = "none: right and wrong ones are apart or all alike, so nothing varies"
        return Number("r_auroc", value, NAN, NAN, protocol)
    return Number("r_auroc", value, max(value - half, 0.0), min(value + half, 1.0), protocol)
