"""What a trained encoder makes of both parts, for claims whose arms compare the same encoders in several ways."""

import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from tacit.claims.training import Training
from tacit.representing import features, representations
from tacit.views.kinds import Plain


class Embedded(NamedTuple):
    """Embeddings, n × d and m × d, and the labels of the training and of the test part."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def embedded(training: Training, seed: int, quick: bool) -> Embedded:
    """Train, and embed the whole of both parts."""
    with tempfile.TemporaryDirectory() as folder:
        run, *parts = training.trained(Path(folder) / "run", seed, quick)
        represent = representations(run)["this encoder"]
        (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in parts)
    of_train, of_test = (torch.from_numpy(part.labels) for part in parts)
    return Embedded(x, of_train, y, of_test)
