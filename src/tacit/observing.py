"""What is looked at while training and never learned from: nearest neighbours, by labels that the data happen to have."""

from collections.abc import Callable

import numpy as np
import torch

from tacit.data.samples import Samples
from tacit.evaluation.labelled.knn import SIMILARITIES, knn
from tacit.method import Method
from tacit.numerics import counter
from tacit.training.embedding import represent
from tacit.training.streams import Source, Stream, move

BANK, QUERIES = 2000, 1000  # samples embedded at most, each time
FEWEST = 30  # labelled samples


class OnlineKNN:
    """Weighted kNN accuracy among training samples, of the weights as they are in training and not of their average.

    Bank and queries are the same few samples each time and no sample is in both. Representations are those of plain views,
    by `evaluation.knn` in the method's own similarity; what is no table of finite numbers is passed over.
    """

    def __init__(self, source: Source, device: torch.device):
        samples = source.samples
        bank, queries = drawn(samples)
        context = getattr(samples, "context", None)
        context = None if context is None else move(context, device)
        self.index = np.concatenate([bank, queries])
        self.labels = torch.from_numpy(samples.labels[self.index]).split([len(bank), len(queries)])
        self.stream = Stream("observed", source, 1, 0, device, context=context)

    def __call__(self, method: Method, autocast: Callable) -> dict[str, float]:
        if method.similarity not in SIMILARITIES:
            return {}
        z = represent(method, self.stream, self.index, autocast, method.represent)
        if z.ndim != 2 or not torch.isfinite(z).all():
            return {}
        (bank, queries), (known, asked) = z.split([len(labels) for labels in self.labels]), self.labels
        return {"knn": knn(bank, known, queries, asked, similarity=method.similarity).value}


def drawn(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the bank and of the queries, by counter; none where too few are labelled, or all alike."""
    rows = np.flatnonzero(samples.labels >= 0) if samples.labels is not None else np.zeros(0, np.int64)
    if samples.labels is None or len(rows) < FEWEST or len(np.unique(samples.labels[rows])) < 2:
        return rows[:0], rows[:0]
    rows = rows[counter.permutation(counter.key("observed"), len(rows))]
    asked = min(QUERIES, len(rows) // 3)
    return np.sort(rows[asked : asked + BANK]), np.sort(rows[:asked])


def observed_labels(samples: Samples) -> int:
    """How many labels `OnlineKNN` looks at; 0: there are too few for it."""
    return sum(map(len, drawn(samples)))
