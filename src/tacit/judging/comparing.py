"""`tacit compare`: which of several runs, and which of their snapshots, to take, without labels."""

from collections.abc import Container, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tacit.data.checking import verify
from tacit.data.samples import Samples
from tacit.errors import TacitError
from tacit.evaluation.choosing import CHOOSING, Choice, choose
from tacit.evaluation.panel import Judged, judge
from tacit.material import fit_views
from tacit.numerics import counter
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Pair, Plain

SAMPLES, PARTS, LOOKS = 2000, 4, 3  # samples in all; parts; pairs of looks at each sample, for LiDAR


def compare(
    runs: Sequence[str | Path | Run],
    data: Any = None,
    *,
    samples: int = SAMPLES,
    kind: str | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Choice:
    """Rank runs and the snapshots they kept by label-free numbers, on the same samples, and name one.

    runs      folders of runs of one kind of data, or runs
    data      a source; by default what the first run was trained on. Labels are not looked at
    samples   so many, drawn by counter
    """
    opened = [run if isinstance(run, Run) else Run(run, device) for run in runs]
    if not opened:
        raise TacitError("No run came to be compared; give the folders of runs.")
    if len({str(run.path.resolve()) for run in opened}) < len(opened):
        raise TacitError("A run was named twice; name each once.")
    source = opened[0].config.data["source"] if data is None else data
    size = min((run.facts.more["size"] for run in opened if "size" in run.facts.more), default=0)
    names, rows = [], []
    for run in opened:
        for snapshot in [*(run.snapshots[:-1] if run.snapshots else []), ""]:  # the last is the run itself
            taken = Run(run.path, device, snapshot) if snapshot else run
            names.append(f"{run.path}{f' @ {snapshot}' if snapshot else ''}")
            drawn = verify(_drawn(taken.open(source, kind), samples, seed))[0]
            rows.append(_by_parts(taken, drawn, seed, size))
    measured = {name: np.array([[part[name] for part in row] for row in rows]).T for name in CHOOSING}
    if all(np.isnan(values).all() for values in measured.values()):
        raise TacitError(f"{opened[0].path} is of a kind without views in pairs, by which runs are compared.")
    return choose(names, measured)


def unlabelled(run: Run, samples: Samples, seed: int, only: Container[str], size: int = 0) -> dict[str, float]:
    """The numbers of a run that need no labels, by name; NaN where one cannot be measured.

    Views are those that the kind of data has by default, whatever the run was trained with: views that hide nothing are
    easily told apart, so by its own a run that learned from such would win. Those of images are as strong as at `size`
    (0: the run's own), since small images are changed less by default.
    """
    represent, alike = representations(run)["this encoder"], copy(run)
    facts = dict(run.facts.more)
    alike.views = fit_views(facts, {})
    if size:
        alike.views = replace(fit_views(facts | {"size": size}, {}), size=facts["size"])
    (z,) = features(alike, samples, represent, Plain(), 0)
    views, looks = None, None
    if Pair in alike.views.kinds:
        count = LOOKS if "lidar" in only else 1
        pairs = [features(alike, samples, represent, Pair(), counter.key(seed, "compare", i)) for i in range(count)]
        views, looks = (pairs[0][0], pairs[0][1]), torch.stack([look for pair in pairs for look in pair], 1)
    return {number.name: number.value for number in judge(Judged(z), Judged(z), views=views, looks=looks, only=only)}


def _by_parts(run: Run, samples: Samples, seed: int, size: int) -> list[dict[str, float]]:
    """What is said of each part of the samples; what the kind of data has no views for is NaN."""
    nothing = dict.fromkeys(CHOOSING, float("nan"))
    parts = np.array_split(np.arange(len(samples)), PARTS)
    return [nothing | unlabelled(run, samples.take(part), seed, CHOOSING, size) for part in parts]


def _drawn(samples: Samples, most: int, seed: int) -> Samples:
    if len(samples) < 8 * PARTS:
        raise TacitError(f"{samples.source} holds {len(samples)} samples; at least {8 * PARTS} are needed to compare runs.")
    order = counter.permutation(counter.key(seed, "compare"), len(samples))
    return samples.take(order[: min(most, len(samples))])
