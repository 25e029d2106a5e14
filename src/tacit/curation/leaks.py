"""Samples to learn from that repeat samples to judge by."""

import numpy as np
import torch

from tacit.curation.duplicates import Duplicates
from tacit.numerics.topk import nearest


def leaks(x: torch.Tensor, trained: np.ndarray, held: np.ndarray, threshold: float) -> Duplicates:
    """For each row that is trained on the held-out one that it repeats, if their cosine is `threshold` or more.

    x n × d, rows of length one; `trained` and `held` are positions. Exact, in tiles. It is the training sample that leaks: a
    number measured on the held-out samples is then honest, and remains comparable with others'.
    """
    of, cosine = np.full(len(x), -1), np.full(len(x), np.nan, np.float32)
    found = nearest(x[torch.from_numpy(trained)], x[torch.from_numpy(held)], 1)
    scores = found.scores[:, 0].numpy()
    near = scores >= threshold - 1e-6
    of[trained[near]], cosine[trained[near]] = held[found.positions[:, 0].numpy()[near]], scores[near]
    return Duplicates(of, cosine)
