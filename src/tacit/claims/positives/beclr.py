"""BECLR: batches that neighbours enlarge, and prototypes moved among the queries, in episodes of classes never seen."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Claim, Found, Measures, interval
from tacit.claims.training import QUICK, UNTRAINED
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.few_labels.opta import opta, standardised
from tacit.method import Method
from tacit.methods.positives.beclr import BECLR
from tacit.methods.self_distillation.byol import BYOL
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.views.kinds import Plain

SHARED: dict[str, Any] = {"size": 20, "width": 24, "flip": 0.0, "batch": 64, "epochs": 20, "warmup": 1, "solarise": 0.0}
MEMORY: dict[str, Any] = {"memory": 1024, "clusters": 64, "recluster": 5}
WAYS, QUERIES, EPISODES = 5, 15, 200
PASSES = {1: 5, 5: 1}  # by shots; of five a prototype keeps a share of 0.3 of what it was


@dataclass(frozen=True)
class Episodes:
    """Trained on the first half of the characters; 5-way accuracies within the second by the nearest prototype, in per cent.

    `shot_k` are those of prototypes as they are, `opta_k` of the same moved among the queries.
    """

    method: type[Method]
    own: tuple[tuple[str, Any], ...] = ()
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        data = tiny_images(320) if quick else known("omniglot-small1")
        first_half = np.asarray(data.labels) < len(data.classes) // 2
        first, second = (data.take(np.flatnonzero(half)) for half in (first_half, ~first_half))
        first.splits = None
        untrained = UNTRAINED if self.which == "untrained encoder" else {}
        options = {**SHARED, **dict(self.own), **(QUICK if quick else {}), **untrained}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(first, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            (x,) = features(run, second, representations(run)[self.which], Plain(), 0)
        return accuracies(standardised(x), np.asarray(second.labels), counter.key("episodes", seed), 5 if quick else EPISODES)


def accuracies(x: Tensor, labels: np.ndarray, key: int, episodes: int) -> Measures:
    """Over episodes, each of some classes and of some rows of them drawn without replacement: n × d and int64 n."""
    draws, found = np.random.default_rng(key), {f"{name}_{k}": 0.0 for name in ("shot", "opta") for k in PASSES}
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    ways = min(WAYS, len(members))
    own = torch.arange(ways).repeat_interleave(QUERIES)
    for _ in range(episodes):
        chosen = [draws.permutation(members[c]) for c in draws.permutation(len(members))[:ways]]
        asked = x[np.concatenate([rows[-QUERIES:] for rows in chosen])]
        for k, passes in PASSES.items():
            means = torch.stack([x[rows[:k]].mean(0) for rows in chosen])
            moved = opta(means, asked, passes)
            moved = moved if k == 1 else 0.7 * moved + 0.3 * means
            for name, prototypes in (("shot", means), ("opta", moved)):
                right = torch.cdist(asked, prototypes).argmin(1) == own
                found[f"{name}_{k}"] += 100 * float(right.float().mean()) / episodes
    return found


def rule(found: Found) -> dict[str, bool]:
    one, five = (found.values("BECLR", f"opta_{k}") - found.values("BECLR", f"shot_{k}") for k in PASSES)
    return {
        "it is above the untrained encoder, at 1 shot": found.above("BECLR", "untrained"),
        "it is above BYOL, at 1 shot": found.above("BECLR", "BYOL"),
        "and above itself without memories": found.above("BECLR", "without memories"),
        "moved prototypes are above those that stay, at 1 shot": interval(one).low > 0,
        "and gain more there than at 5": interval(one - five).low > 0,
    }


CLAIM = Claim(
    says="Batches enlarged by neighbours of the same cluster, and prototypes moved to where the queries are, are above all "
    "earlier ways to few shots without labels; moving them helps most at one shot.",
    here="68 characters of omniglot-small1 without their labels, and episodes of the other 68, in place of miniImageNet and "
    "CIFAR-FS; seen at 20 pixels, cropped and recoloured but not solarised, small_resnet of width 24; 20 epochs of batches of "
    "64, memories of 1 024 in 64 clusters from 15 % of the training on; 200 episodes of 5 classes and 15 queries of each, the "
    "nearest prototype of standardised features. (A first run of three seeds, solarised and by AdamW's usual second beta of "
    "0.999, which kept the rate at a sixth for long once rows without gradient had come in, met one of the five conditions.)",
    arms={
        "untrained": Episodes(BECLR, tuple(MEMORY.items()), "untrained encoder"),
        "BYOL": Episodes(BYOL),
        "without memories": Episodes(BECLR, (*MEMORY.items(), ("start", 1.0))),
        "BECLR": Episodes(BECLR, tuple(MEMORY.items())),
    },
    metric="shot_1",
    seeds=5,
    rule=rule,
    why="The memories, with which it is above all in the paper, cost 2.9 points at 1 shot (± 2.1; 8 before the second beta was "
    "mended). Rows found have no gradient, as in the published code, and so attract nothing, but are kept apart like all "
    "others, also from the sample whose neighbours they are (there other rows are taken by a slip, so that this harm is "
    "left out): likely that is what is left. Beside BYOL it is 1.3 above, which five seeds (± 4.1) cannot tell from "
    "nothing; without memories it is 4.2 above. No longer run was tried.",
)
