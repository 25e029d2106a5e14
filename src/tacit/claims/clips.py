"""Arms of claims on videos: a method on clips of two moving digits; probes tell which digits and how fast they move."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.claims.training import QUICK
from tacit.data.known_sets import known
from tacit.data.samples import Samples
from tacit.data.video.generated import moving_letters
from tacit.evaluation.labelled.retrieval import retrieval
from tacit.method import Method
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

SET = "moving-mnist"
SHARED = {"frames": 6, "every": 1, "side": 32, "width": 16, "batch": 64, "epochs": 8, "warmup": 1}
PENALTIES = tuple(10.0**power for power in range(-4, 5))  # of the probes; chosen on a fifth of the training part


class Told(NamedTuple):
    """What is known of the clips of one part."""

    digits: Tensor  # float32, n × 10: 1 of those that are in it
    pair: Tensor  # int64, n: the number of the unordered pair
    pace: Tensor  # float32, n × 2: mean absolute velocity along rows and columns, pixels per frame


class Parts(NamedTuple):
    """Both parts of the set, and what is known of them."""

    train: Samples
    test: Samples
    of_train: Told
    of_test: Told


@dataclass(frozen=True)
class Clips:
    """A method on the training part, without labels; `which` may be the encoder that it began with, or raw input.

    Measured on the test part, in per cent: `digits`, how many of a clip's digits are among as many that a linear probe names;
    `motion`, the variance of the velocities (without their sign, which bouncing changes) that a linear probe explains;
    `found`, how often one of the ten nearest training clips by cosine has the same two digits.
    """

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        with tempfile.TemporaryDirectory() as folder:
            parts = opened(quick)
            return judged(trained(self.method, self.options, parts, Path(folder) / "run", seed, quick), self.which, parts)


def trained(method: type[Method], options: Mapping[str, Any], parts: Parts, folder: Path, seed: int, quick: bool) -> Run:
    """A run on the training part."""
    alone = parts.train.take(np.arange(len(parts.train)))
    alone.splits = None  # all of it is trained on
    chosen = {**SHARED, **options, **(QUICK if quick else {})}
    return pretrain(alone, method, out=folder, seed=seed, quiet=True, **chosen)


def judged(run: Run, which: str, parts: Parts) -> Measures:
    """What a representation holds of the digits and of how they move."""
    represent = representations(run)[which]
    (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in (parts.train, parts.test))
    named = probe(x, parts.of_train.digits, y)
    many = parts.of_test.digits.sum(1).long()
    place = named.argsort(1, descending=True).argsort(1)
    hits = ((place < many[:, None]) * parts.of_test.digits).sum(1) / many
    residual = (probe(x, parts.of_train.pace, y) - parts.of_test.pace).square().sum(0)
    explained = 1 - residual / (parts.of_test.pace - parts.of_train.pace.mean(0)).square().sum(0)
    found = {number.name: number.value for number in retrieval(x, parts.of_train.pair, y, parts.of_test.pair)}
    return {
        "digits": 100 * float(hits.mean()),
        "motion": 100 * float(explained.mean()),
        "found": 100 * found["recall_at_10"],
    }


def probe(x: Tensor, target: Tensor, y: Tensor) -> Tensor:
    """What a ridge regression of n × k targets on n × d features says of m × d others: m × k.

    Features are standardised by the training part; the penalty is the one that predicts a fifth of it best from the rest.
    """
    mean, std = x.mean(0), x.std(0).clamp_min(1e-6)
    x, y = ((part - mean).double() / std for part in (x, y))
    held = torch.from_numpy(counter.permutation(counter.key("probe"), len(x)) < len(x) // 5)
    missed = [float((_ridge(x[~held], target[~held], x[held], penalty) - target[held]).square().sum()) for penalty in PENALTIES]
    return _ridge(x, target, y, PENALTIES[int(np.argmin(missed))])


def opened(quick: bool) -> Parts:
    """The set with what its file says of it; quick: letters that move."""
    data = moving_letters(160) if quick else known(SET)
    train, test = data.split("train"), data.split("test")
    if quick:
        return Parts(train, test, *(_of_letters(part) for part in (train, test)))
    with np.load(data.source, allow_pickle=False) as arrays:
        told = [_told(arrays[f"digits_{name}"], arrays[f"velocity_{name}"]) for name in ("train", "test")]
    return Parts(train, test, *told)


def _told(digits: np.ndarray, velocity: np.ndarray) -> Told:
    low, high = np.sort(digits.astype(np.int64), axis=1).T
    there = torch.zeros(len(digits), 10)
    there[torch.arange(len(digits))[:, None], torch.from_numpy(digits.astype(np.int64))] = 1
    return Told(there, torch.from_numpy(10 * low + high), torch.from_numpy(np.abs(velocity).mean(1).astype(np.float32)))


def _of_letters(part: Samples) -> Told:
    assert part.labels is not None  # they are drawn with them
    labels = torch.from_numpy(part.labels)
    return Told(torch.nn.functional.one_hot(labels, 10).float(), labels, torch.stack([labels, -labels], 1).float())


def _ridge(x: Tensor, target: Tensor, y: Tensor, penalty: float) -> Tensor:
    middle = target.double().mean(0)
    gram = x.T @ x + penalty * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    return (y @ torch.linalg.solve(gram, x.T @ (target.double() - middle)) + middle).float()
