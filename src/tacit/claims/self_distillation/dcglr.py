"""Distillation with contrast: parts of shapes, a slow copy, and other shapes to be told from."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.training import QUICK, judged
from tacit.data.clouds.shapes import shapes
from tacit.method import Method
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.self_distillation.dcglr import DCGLR
from tacit.pretraining import pretrain

SHARED = {"points": 128, "batch": 64, "epochs": 15, "lr": 2e-3, "warmup": 1}


@dataclass(frozen=True)
class Shapes:
    """A method on generated shapes; what is judged is the encoder, or the one it began with."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        data = shapes(160 if quick else 1250)
        train, test = data.split("train"), data.split("test")
        alone = train.take(np.arange(len(train)))
        alone.splits = None
        with tempfile.TemporaryDirectory() as folder:
            options = {**SHARED, **self.options, **(QUICK if quick else {})}
            run = pretrain(alone, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            return judged(run, self.which, train, test)


def rule(found: Found) -> dict[str, bool]:
    return {
        "it is above the untrained encoder": found.above("DCGLR", "untrained"),
        "it is above distillation alone": found.above("DCGLR", "distillation alone"),
        "it is above contrast alone": found.above("DCGLR", "contrast alone (SimCLR)"),
        "with small parts it is above without": found.above("DCGLR", "without small parts"),
    }


CLAIM = Claim(
    says="Distilling from whole shapes into their parts, with contrast against other shapes, is above either alone.",
    here="1 000 generated shapes of 8 families (any pose, occluded, noisy) in place of ModelNet and ShapeNet, 128 "
    "points, PointNet; 15 epochs of batches of 64, one recipe for all; kNN on 250 others. FoldingNet is not run.",
    arms={
        "untrained": Shapes(DCGLR, {"epochs": 1, "epoch_batches": 1, "warmup": 0}, "untrained encoder"),
        "contrast alone (SimCLR)": Shapes(SimCLR),
        "distillation alone": Shapes(DCGLR, {"pairing": 0.0}),
        "without small parts": Shapes(DCGLR, {"small_crops": 0}),
        "DCGLR": Shapes(DCGLR),
    },
    metric="knn",
    rule=rule,
    kinds=("cloud",),
    why="It is 2.0 points below distillation alone (± 7.8), 4.7 above contrast alone (± 39) and 2.0 above itself without "
    "small parts (± 3.6). Likely three seeds are too few, one of which has contrast alone at 36 % by kNN, for which no "
    "reason is known (63 % by the linear probe); the weight of the contrast, 0.01, is of the authors' next work, since the "
    "paper's could not be read. No longer run was tried.",
)
