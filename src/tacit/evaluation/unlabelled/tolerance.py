"""How close samples of one class stay, and which negatives the temperature looks at (Wang and Liu 2021)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import Z, subsample
from tacit.evaluation.number import NAN, Number, missing
from tacit.numerics.exact import unit

ANCHORS = 1024  # whose penalties are averaged
CELLS = 1 << 21  # similarities held at once


def tolerance(features: Tensor, labels: Tensor) -> Number:
    """Mean cosine similarity of two different samples of one class, over all such pairs: features n × d, labels int64, n.

    Wang and Liu 2021 (Understanding the Behaviour of Contrastive Loss, arXiv:2012.09740) write the mean over all
    pairs with the other classes' at 0, which changes with the number of classes; here those are left out, and each sample's
    pair with itself too. Read it beside uniformity: collapse is fully tolerant. In closed form, by the sums of classes.
    """
    x = unit(features).double()
    _, target, counts = labels.unique(return_inverse=True, return_counts=True)
    others = (counts[target] - 1).double()
    if not bool(others.any()):
        return missing("tolerance", f"no two of the {len(labels)} samples are of one class, so there is no pair to compare.")
    sums = x.new_zeros(len(counts), x.shape[1]).index_add_(0, target, x)
    similar = (x * (sums[target] - x)).sum(1)  # of each sample, to all others of its class
    value = float(similar.sum() / others.sum())
    added = 2 * (similar - value * others) / others.sum()  # to the ratio of two U-statistics of degree two, to first order
    half = Z * math.sqrt(float(added.square().sum()))
    protocol = {
        "samples": len(x),
        "classes": len(counts),
        "pairs": int(others.sum()) // 2,
        "interval": "of a ratio of U-statistics over pairs, 95 %",
    }
    if half < 1e-6:
        protocol["interval"] = "none: nothing varies from sample to sample"
        return Number("tolerance", value, NAN, NAN, protocol)
    return Number("tolerance", value, max(value - half, -1.0), min(value + half, 1.0), protocol)


def relative_penalties(features: Tensor, temperatures: Sequence[float], nearest: Sequence[int] = (1, 10, 100)) -> np.ndarray:
    """The share of the softmax loss's gradient that falls on the nearest negatives: float64, temperatures × nearest.

    The relative penalty of Wang and Liu 2021: of all the push on an anchor i, negative j gets r_ij = exp(s_ij / τ) / Σ_{k ≠ i}
    exp(s_ik / τ) with cosine similarity s. Here summed over the k most similar negatives, for each k in `nearest`, and
    averaged over at most 1024 anchors, drawn by counter; the negatives are all other samples of features n × d. Near 1 the
    loss looks at a few hard negatives only, near k / (n − 1) at all alike.
    """
    most = max(nearest, default=0)
    if min(nearest, default=0) < 1 or most > len(features) - 1:
        raise TacitError(f"nearest is {list(nearest)}; it must hold numbers from 1 to the {len(features) - 1} other samples.")
    for temperature in temperatures:
        positive(temperature=temperature)
    x = unit(features)
    anchors = torch.from_numpy(subsample(len(x), ANCHORS, "relative_penalties")).to(x.device)
    ends = torch.tensor(nearest, device=x.device) - 1
    total = torch.zeros(len(temperatures), len(nearest), dtype=torch.float64, device=x.device)
    for tile in anchors.split(max(1, CELLS // len(x))):
        scores = (x[tile] @ x.T).double()
        scores.scatter_(1, tile[:, None], -torch.inf)
        best = scores.topk(most, dim=1).values
        for row, temperature in enumerate(temperatures):
            everything = (scores / temperature).logsumexp(1, keepdim=True)
            total[row] += (best / temperature - everything).exp().cumsum(1)[:, ends].sum(0)
    return (total / len(anchors)).cpu().numpy()
