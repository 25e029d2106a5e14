"""Relative representations: each sample by its cosines to the same anchors, a language that two spaces share.

Moschella et al. 2023, arXiv:2209.15430: if the angles between samples are alike in two spaces, so are these coordinates,
however the spaces are turned or scaled (moving them or stretching single axes does change them). Embeddings are taken as they
are, not centred.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.between.models import fault
from tacit.evaluation.intervals import bootstrap, subsample
from tacit.evaluation.labelled.knn import knn
from tacit.evaluation.number import Number, missing
from tacit.numerics import counter
from tacit.numerics.exact import unit

ANCHORS = 300  # as in the paper's comparison of word embeddings
LIMIT = 16384  # samples that are retrieved: the time grows with their square
ROWS = 512  # of a tile of scores


def relative(features: Tensor, anchors: Tensor) -> Tensor:
    """Cosines of features n × d to anchors a × d of the same space: float32, n × a (section 3)."""
    return unit(features) @ unit(anchors).T


def anchor_rows(n: int, anchors: int, seed: int) -> np.ndarray:
    """Which of n samples are the anchors, drawn by counter: at most half of them, in order."""
    if anchors < 1:
        raise TacitError(f"{anchors} anchors were asked for; ask for at least 1.")
    return np.sort(counter.permutation(counter.key(seed, "anchors"), n)[: min(anchors, n // 2)])


def relative_cosine(first: Tensor, second: Tensor, anchors: int = ANCHORS, seed: int = 0) -> Number:
    """Mean cosine of a sample's relative rows in n × d₁ and in n × d₂, without labels: 1 where angles agree.

    Moschella et al. 2023, section 4. Anchors are drawn from the samples, and left out of the mean. `by_chance` in the protocol
    is its mean over all pairings of the rows: well above 0 where a space is a narrow cone.
    """
    if reason := fault(first, second, fewest=4):
        return missing("relative_cosine", reason)
    x, y = _relatives(first, second, anchors, seed)
    each = (x * y).sum(1).double().cpu().numpy()
    protocol = {
        "samples": len(x),
        "anchors": x.shape[1],
        "seed": seed,
        "by_chance": float(x.double().mean(0) @ y.double().mean(0)),
        "interval": "bootstrap over samples, anchors as they are, 1000 resamples, 95 %",
    }
    return Number("relative_cosine", float(each.mean()), *bootstrap(each, "relative_cosine"), protocol)


def relative_mrr(first: Tensor, second: Tensor, anchors: int = ANCHORS, seed: int = 0) -> Number:
    """Mean reciprocal rank of a sample itself when its relative row in one space retrieves from the other, without labels.

    n × d₁ and n × d₂, by cosine of the relative rows. Moschella et al. 2023, section 4; there from one space to the other, and
    0 beyond the first places; here the mean of both directions, exact ranks (a tie takes the mean rank), and no anchors among
    the samples. Unrelated spaces have the harmonic number of n over n, `by_chance` in the protocol.
    """
    if reason := fault(first, second, fewest=4):
        return missing("relative_mrr", reason)
    x, y = _relatives(first, second, anchors, seed)
    rows = torch.from_numpy(subsample(len(x), LIMIT, "relative retrieval")).to(x.device)
    x, y = x[rows], y[rows]
    each = ((1 / own_ranks(x, y) + 1 / own_ranks(y, x)) / 2).cpu().numpy()
    protocol = {
        "samples": len(x),
        "anchors": x.shape[1],
        "seed": seed,
        "by_chance": float((1 / np.arange(1, len(x) + 1)).mean()),
        "interval": "bootstrap over queries, anchors as they are, 1000 resamples, 95 %",
    }
    return Number("relative_mrr", float(each.mean()), *bootstrap(each, "relative_mrr"), protocol)


def stitching_accuracy(
    first_train: Tensor,
    second_train: Tensor,
    train_labels: Tensor,
    second_test: Tensor,
    test_labels: Tensor,
    anchors: int = ANCHORS,
    seed: int = 0,
) -> Number:
    """Accuracy of kNN from the first space, asked, as it is, about the second, through the same anchors.

    Moschella et al. 2023, section 5 (zero-shot stitching). There the head is a small network; here `knn` by cosine of relative
    rows, since a linear probe leans on directions of little variance, in which two spaces differ most. Train n × d₁ and n × d₂
    are the same samples, of which the anchors are some; test m × d₂; labels int64. Compare with the first space stitched to
    itself.
    """
    for what, features, labels in (("train", first_train, train_labels), ("test", second_test, test_labels)):
        if len(labels) != len(features):
            raise TacitError(f"Stitching got {len(features)} {what} embeddings and {len(labels)} labels; give one for each.")
    reason = fault(first_train, second_train, fewest=4)
    if not reason and len(train_labels.unique()) < 2:
        reason = f"all {len(train_labels)} train labels are the same; at least two classes are needed."
    if reason or len(second_test) == 0:
        return missing("stitching_accuracy", reason or "there are no test samples.")
    rows = anchor_rows(len(first_train), anchors, seed)
    known, asked = relative(first_train, first_train[rows]), relative(second_test, second_train[rows])
    number = knn(known, train_labels, asked, test_labels)
    return replace(number, name="stitching_accuracy", protocol={**number.protocol, "anchors": len(rows), "seed": seed})


def own_ranks(queries: Tensor, keys: Tensor) -> Tensor:
    """The rank, from 1, of key i by inner product with query i, n × a both; of ties the mean rank: float64, n."""
    ranks = []
    for start in range(0, len(queries), ROWS):
        scores = queries[start : start + ROWS] @ keys.T
        own = scores.diagonal(start)[:, None]
        ranks.append((scores > own).sum(1) + ((scores == own).sum(1) + 1) / 2)
    return torch.cat(ranks).double()


def _relatives(first: Tensor, second: Tensor, anchors: int, seed: int) -> tuple[Tensor, Tensor]:
    """Relative rows of length one of the samples that are not anchors, in both spaces."""
    chosen = anchor_rows(len(first), anchors, seed)
    others = np.setdiff1d(np.arange(len(first)), chosen)
    x, y = (unit(relative(features[others], features[chosen])) for features in (first, second))
    return x, y
