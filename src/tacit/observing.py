"""What is looked at while training and never learned from: nearest neighbours by labels that lie there, and snapshots."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tacit.data.samples import Samples
from tacit.evaluation.labelled.knn import SIMILARITIES, knn
from tacit.method import Method
from tacit.numerics import counter, processes
from tacit.numerics.processes import whole
from tacit.training import checkpoint
from tacit.training.embedding import represent
from tacit.training.setting import LOOKS, Moment
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

    def __call__(self, method: Method, autocast: Callable, now: Moment) -> dict[str, float]:
        if method.similarity not in SIMILARITIES:
            return {}
        z = represent(method, self.stream, self.index, autocast, method.represent)
        if z.ndim != 2 or not torch.isfinite(z).all():
            return {}
        (bank, queries), (known, asked) = z.split([len(labels) for labels in self.labels]), self.labels
        return {"knn": knn(bank, known, queries, asked, similarity=method.similarity).value}


class Snapshots:
    """Keeps the encoder so many times at even distances, as it is in training, for `tacit compare` to choose among.

    At most LOOKS a stage; each is FOLDER/snapshots/stage-S-epoch-E.safetensors, counted from 1, the end of a stage among them.
    """

    def __init__(self, folder: Path, count: int):
        self.folder, self.count = folder / "snapshots", min(count, LOOKS)

    def __call__(self, method: Method, autocast: Callable, now: Moment) -> dict[str, float]:
        apart = -(-now.epochs // LOOKS)  # epochs between two looks
        due = now.epoch * self.count // now.epochs > max(now.epoch - apart, 0) * self.count // now.epochs
        if not due or method.encoder is None:
            return {}
        tensors = {name: whole(value) for name, value in method.encoder.state_dict().items()}
        if processes.rank() == 0:
            self.folder.mkdir(exist_ok=True)
            name = f"stage-{now.stage + 1}-epoch-{now.epoch}"
            checkpoint.save(self.folder / f"{name}.safetensors", tensors, {})
        return {}


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
