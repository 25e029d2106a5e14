"""`tacit evaluate --regimes`: a run's encoder frozen, with a few labels, and fine-tuned, beside the untrained encoder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from tacit.data.checking import verify
from tacit.data.samples import Samples
from tacit.data.splitting import splits
from tacit.errors import TacitError, positive
from tacit.evaluation.intervals import subsample
from tacit.evaluation.labelled.fine_tuning import STEPS
from tacit.evaluation.regimes import EXAMPLES, Regimes, feet
from tacit.method import Method
from tacit.representing import plainly
from tacit.run import Run

TEST = 1000  # test samples at most: they pass every one of the trained encoders


def regimes(
    run: Run | str | Path,
    data: Any,
    *,
    examples: tuple[int, ...] = EXAMPLES,
    shuffles: int = 5,
    steps: int = STEPS,
    test: int = TEST,
    kind: str | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Regimes:
    """Judge a run's encoder frozen, trained on a few labels and trained on all, beside the same encoder untrained.

    data      a source with labels; its parts are those of `tacit.evaluate`
    examples  numbers of labelled samples in all; `shuffles` draws of each
    steps     of 64 samples, of the training on all labels: give more where there are more than a few thousand
    test      samples at most by which every regime is scored, the same in each, drawn by counter
    Minutes on two cores: what is trained is a copy, and the run stays as it is. Samples that belong together, such as those
    of one person, are told apart by the source's own parts alone: where it declares none, the split is by hash of the id.
    """
    positive(test=test)
    run = run if isinstance(run, Run) else Run(run, device)
    modules = _encoders(run)
    opened, _ = verify(run.open(data, kind))
    learned, judged, told = splits(opened, seed=seed)
    if learned.labels is None or judged.labels is None or not (learned.labels >= 0).any() or not (judged.labels >= 0).any():
        raise TacitError(f"{opened.source} has no labels in both of its parts; give class folders, or a list with labels.")
    judged = _labelled(judged)
    judged = judged.take(subsample(len(judged), test, "regimes"))
    one, other = (plainly(run, part, _labels(part)) for part in (_labelled(learned), judged))
    protocol = {"data": str(opened.source), "split": told, "encoder": run.config.encoder}
    return Regimes(
        {
            name: {
                regime: replace(number, protocol={**number.protocol, **protocol})
                for regime, number in feet(module, one, other, examples, shuffles, steps=steps, seed=seed).items()
            }
            for name, module in modules.items()
        }
    )


def _encoders(run: Run) -> dict[str, nn.Module]:
    """The run's encoder and the same before any training; a method's own way to represent is left aside."""
    fresh = run.untrained()
    if isinstance(fresh, Method):
        fresh = fresh.encoder
    if not isinstance(run.encoder, nn.Module) or not isinstance(fresh, nn.Module):
        raise TacitError(f"{run.config.method} has no encoder that could be trained with labels; give a run of another method.")
    return {"this encoder": run.encoder, "untrained encoder": fresh}


def _labelled(samples: Samples) -> Samples:
    return samples.take(np.flatnonzero(_labels(samples) >= 0))


def _labels(samples: Samples) -> np.ndarray:
    assert samples.labels is not None  # `regimes` asked
    return samples.labels
