"""The arm of claims about sounds: an encoder pretrained on some speakers and judged on one that it never heard."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.claims.training import QUICK, UNTRAINED
from tacit.data import known
from tacit.data.checking import verify
from tacit.data.sounds.generated import diphthongs, in_noise
from tacit.data.sounds.samples import SoundSamples
from tacit.evaluation.labelled.knn import knn
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.labelled.low_label import balanced
from tacit.method import Method
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

LABELS = (1, 5, 10)  # of each class
DRAWS = 3  # of the few labels
NOISE = 10.0  # decibels below a sound


@dataclass(frozen=True)
class OnSounds:
    """Pretrain on three speakers of fsdd without labels; another one for every seed is left out and judged.

    Measured are, in per cent of the words of the speaker left out: kNN and the linear probe from all labels of the others, the
    probe from 1, 5 and 10 labels of each word (`few_1`, …: the mean of 3 draws), and kNN where the one left out speaks in
    noise (`noisy`). `which` is "this encoder", "untrained encoder" or "raw input", for which two nothing is trained but one
    step.
    """

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        train, test = parts(seed, quick)
        alone = train.take(np.arange(len(train)))
        alone.splits = None
        short = UNTRAINED if self.which != "this encoder" else {}
        with tempfile.TemporaryDirectory() as folder:
            options: dict[str, Any] = {**self.options, **(QUICK if quick else short)}
            run = pretrain(alone, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            return judged(run, self.which, train, test)


def parts(seed: int, quick: bool) -> tuple[SoundSamples, SoundSamples]:
    """The sounds of all speakers but one, and of that one."""
    data = diphthongs(320) if quick else known("fsdd")
    assert isinstance(data, SoundSamples)
    speakers = np.unique(data.columns["speaker"]).tolist()
    whole = verify(data.held_out("speaker", speakers[seed % len(speakers)]))[0]
    assert isinstance(whole, SoundSamples)
    return whole.take(np.flatnonzero(whole.splits == "train")), whole.take(np.flatnonzero(whole.splits == "test"))


def judged(run: Run, which: str, train: SoundSamples, test: SoundSamples) -> Measures:
    """What is said of a representation of sounds of one part, predicted from another."""
    represent = representations(run)[which]
    (x,), (y,), (z,) = (features(run, part, represent, Plain(), 0) for part in (train, test, in_noise(test, NOISE)))
    assert train.labels is not None and test.labels is not None
    learned, asked = torch.from_numpy(train.labels), torch.from_numpy(test.labels)
    found = {
        "knn": 100 * knn(x, learned, y, asked).value,
        "linear": 100 * linear(x, learned, y, asked).value,
        "noisy": 100 * knn(x, learned, z, asked).value,
    }
    return found | {f"few_{count}": few(x, learned, y, asked, count) for count in LABELS}


def few(x: Tensor, learned: Tensor, y: Tensor, asked: Tensor, count: int) -> float:
    """The linear probe from so many labels of each class: per cent, the mean over DRAWS draws."""
    classes, scores = len(learned.unique()), []
    for draw in range(DRAWS):
        rows = balanced(learned, count * classes, counter.key("few labels", count, draw))
        scores.append(100 * linear(x[rows], learned[rows], y, asked).value)
    return float(np.mean(scores))
