"""The arm of claims about time series: an encoder pretrained on several small sets, one after another."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tacit.claims.claim import Measures
from tacit.claims.training import QUICK, UNTRAINED, judged
from tacit.data import known
from tacit.data.samples import Samples
from tacit.data.series.generated import rhythms
from tacit.method import Method
from tacit.pretraining import pretrain
from tacit.run import Run


@dataclass(frozen=True)
class OnSeries:
    """Pretrain on the training part of each set, and judge on its test part: the mean over the sets.

    Measured are those of `claims.training.judged`, of the representation `which`: "this encoder", "untrained encoder" or
    "raw input", for which two nothing is trained but one step.
    """

    method: type[Method]
    sets: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        found = []
        for name in self.sets[: 1 if quick else None]:
            data = rhythms(160) if quick else known(name)
            with tempfile.TemporaryDirectory() as folder:
                run, train, test = self.trained(data, Path(folder) / "run", seed, quick)
                found.append(judged(run, self.which, train, test) | self.more(run, test))
        return {name: float(np.mean([one[name] for one in found])) for name in found[0]}

    def more(self, run: Run, test: Samples) -> Measures:
        """What else a claim measures of a run."""
        return {}

    def trained(self, data: Samples, folder: Path, seed: int, quick: bool) -> tuple[Run, Samples, Samples]:
        """The run, and the parts by which it is judged."""
        short = UNTRAINED if self.which != "this encoder" else {}
        options: dict[str, Any] = {**self.options, **(QUICK if quick else short)}
        run = pretrain(data, self.method, out=folder, seed=seed, quiet=True, **options)
        return run, data.split("train"), data.split("test")
