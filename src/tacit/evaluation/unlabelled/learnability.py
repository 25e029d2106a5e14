"""Whether clusters of the features can be learnt from few examples, without labels."""

import math

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation.intervals import student, subsample
from tacit.evaluation.number import Number, missing
from tacit.evaluation.unlabelled.stability import ROUNDS, same_direction, seeded_kmeans
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.topk import nearest

LIMIT = 8192  # samples: the time grows with n^1.5


def learnability(features: Tensor, draws: int = 5) -> Number:
    """Accuracy of the nearest neighbour on the k-means clusters of features n × d, in [0, 1], mean over draws.

    Cluster learnability of Lu et al. 2022 (Using Representation Expressiveness and Learnability to Evaluate Self-Supervised
    Learning Methods, arXiv:2206.01251): √n clusters of all rows of length one, then one random half's clusters
    are predicted from the other's by cosine, k = 1. Its first version averages the accuracy over a growing prefix instead,
    which hangs on the order of the samples. Here each draw clusters anew too. Read it beside the intrinsic dimension:
    two tight clumps are learnt at once.
    """
    if draws < 1:
        raise TacitError(f"Learnability got {draws} draws; give at least 1.")
    if len(features) < 16:
        return missing("learnability", f"{len(features)} samples are too few to learn clusters of; 16 are needed.")
    x = unit(features[torch.from_numpy(subsample(len(features), LIMIT, "learnability")).to(features.device)])
    if same_direction(x):
        return missing("learnability", f"all {len(x)} features point the same way, so there are no clusters to learn.")
    clusters = math.isqrt(len(x))
    each = np.array([_accuracy(x, clusters, draw) for draw in range(draws)])
    low, high = student(each)
    interval = f"t over {draws} clusterings and halves of the same samples, 95 %: what other samples change is not in it"
    protocol = {
        "samples": len(x),
        "clusters": clusters,
        "draws": draws,
        "k": 1,
        "similarity": "cosine",
        "algorithm": f"k-means from k-means++ seeds, one start, at most {ROUNDS} rounds",
        "interval": interval if draws > 1 else "none: one draw",
    }
    return Number("learnability", float(each.mean()), max(low, 0.0), min(high, 1.0), protocol)


def _accuracy(x: Tensor, clusters: int, draw: int) -> float:
    labels, _ = seeded_kmeans(x, clusters, counter.key("learnability", draw))
    order = torch.from_numpy(counter.permutation(counter.key("learnability", draw, "halves"), len(x))).to(x.device)
    known, asked = order[: len(x) // 2], order[len(x) // 2 :]
    found = nearest(x[asked], x[known], 1).positions[:, 0]
    return float((labels[known][found] == labels[asked]).double().mean())
