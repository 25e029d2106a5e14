"""The arm of claims about tables: an encoder pretrained on some rows, or what it is measured against."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tacit.claims.claim import Measures
from tacit.claims.training import QUICK, judged
from tacit.data import known
from tacit.data.generated import table
from tacit.method import Method
from tacit.numerics import counter
from tacit.pretraining import pretrain


@dataclass(frozen=True)
class OnRows:
    """Pretrain on so many rows of a known set's training part, and judge against all of it on its test part.

    Measured are those of `claims.training.judged`, of the representation `which`: "this encoder", "untrained encoder" or
    "raw input", for which two nothing is trained but one step.
    """

    method: type[Method]
    rows: int
    options: Mapping[str, Any] = field(default_factory=dict)
    set: str = "adult"
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        data = table(640) if quick else known(self.set)
        train, test = data.split("train"), data.split("test")
        some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[: self.rows]))
        some.splits = None  # all of them are trained on
        short = {"epochs": 1, "epoch_batches": 1, "warmup": 0} if self.which != "this encoder" else {}
        options: dict[str, Any] = {**self.options, **(QUICK if quick else short)}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(some, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            return judged(run, self.which, train, test)
