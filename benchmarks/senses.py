"""Text, audio, time series, video and image-text pairs: generic methods beside raw input and the untrained encoder.

    TACIT_DATA=… python benchmarks/senses.py                                    # all rows that are missing
    TACIT_DATA=… python benchmarks/senses.py --row "fsdd, simclr, seed 0"

One set of each kind, two of time series; of pairs the methods of two encoders, since generic ones see no pairs. On a set all
methods have the same epochs and batch and each its own recipe for small data, by its defaults; so methods of many crops take
more time. Nothing was tuned on a test part: options of a set that stand in SETS were chosen on a held-out part of its training
part, by SimCLR, and all methods take them; those of videos are what claims take on this set. Judged is on the declared test
part, from the labels of the training part: kNN and the linear probe in per cent, of clips which digits they show, of pairs the
recall at 10. Rows are in benchmarks/results/senses.json.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rows import Measure, Row, main

import tacit
from tacit.claims import clips
from tacit.data import known
from tacit.data.known_sets import SETS as KNOWN
from tacit.data.samples import Samples
from tacit.evaluation.labelled.knn import knn
from tacit.evaluation.labelled.linear import linear
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

NOTHING: Mapping[str, Any] = {}


class Budget(NamedTuple):
    """How a set is trained on, the same for all methods."""

    kind: str
    epochs: int
    batch: int
    seeds: int = 1
    options: Mapping[str, Any] = NOTHING


SETS = {
    "ag-news-small": Budget("text", 10, 256, options={"crop": [0.2, 0.6], "lr": 0.005}),
    "fsdd": Budget("audio", 3, 64),
    "gunpoint": Budget("series", 40, 16, seeds=3),
    "italypowerdemand": Budget("series", 40, 16, seeds=3),
    "moving-mnist": Budget("video", 2, 64, options={"frames": 6, "every": 1, "side": 32, "width": 16}),
    "emoji-captions": Budget("pair", 10, 64, options={"first": {"size": 32}}),
}
GENERIC = ("simclr", "dcl", "npid", "moco_v2", "byol", "simsiam", "barlow_twins", "vicreg", "swav", "dino", "mae")
DUAL = ("align", "convirt", "meru", "llave")
LEFT_OUT = {"swav": ("gunpoint", "italypowerdemand")}  # fewer samples than prototypes
FOUND = ("image_to_text_at_10", "text_to_image_at_10", "zero_shot")


def row(name: str, method: str, seed: int) -> Row:
    """Train a method on a set and judge it, beside raw input and the encoder's first weights."""
    budget = SETS[name]
    options = {"epochs": budget.epochs, "batch": budget.batch, "warmup": 1, **budget.options}
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = tacit.pretrain(known(name), method, out=Path(folder) / "run", seed=seed, quiet=True, device="cpu", **options)
        seconds = time.process_time() - began
        numbers = JUDGES.get(budget.kind, told_apart)(run, known(name))
    about = {"set": name, "sha256": KNOWN[name].sha256[:12], "kind": budget.kind, "method": method, "seed": seed}
    about |= {"encoder": run.config.encoder, "recipe": run.config.recipe_name, "options": options}
    return {**about, "seconds of the processor": round(seconds, 1), "numbers": numbers}


def told_apart(run: Run, data: Samples, probed: bool = True) -> dict[str, Row]:
    """Accuracies on the test part with their 95 % intervals, in per cent: of kNN, and of the linear probe."""
    opened, found = run.open(data), {}
    train, test = opened.split("train"), opened.split("test")
    assert train.labels is not None and test.labels is not None
    learned, asked = torch.from_numpy(train.labels), torch.from_numpy(test.labels)
    for who, represent in representations(run).items():
        (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in (train, test))
        numbers = {"knn": knn(x, learned, y, asked)} | ({"linear": linear(x, learned, y, asked)} if probed else {})
        found[who] = {key: [round(100 * v, 1) for v in (n.value, n.low, n.high)] for key, n in numbers.items()}
    return found


def read(run: Run, data: Samples) -> dict[str, Row]:
    """Of texts kNN alone: a probe of the 4 096 columns of their raw input takes longer than all their training."""
    return told_apart(run, data, probed=False)


def retrieved(run: Run, data: Samples) -> dict[str, Row]:
    """What `tacit evaluate` says of pairs, in per cent."""
    return {
        who: {n.name: [round(100 * v, 1) for v in (n.value, n.low, n.high)] for n in several if n.name in FOUND}
        for who, several in tacit.evaluate(run, data).representations.items()
    }


def watched(run: Run, data: Samples) -> dict[str, Row]:
    """What linear probes tell of the digits of a clip and of how fast they move, in per cent."""
    parts = clips.opened(quick=False)
    assert parts.train.source == data.source
    return {who: {key: [round(v, 1)] for key, v in clips.judged(run, who, parts).items()} for who in representations(run)}


JUDGES: Mapping[str, Callable[[Run, Samples], dict[str, Row]]] = {"text": read, "pair": retrieved, "video": watched}


def measures() -> dict[str, Measure]:
    """Every set with every method that runs on it; all first seeds come before the others."""
    offered = {method.key: method.runs_on for method in tacit.catalogue()}
    found = {}
    for seed in range(max(budget.seeds for budget in SETS.values())):
        for name, budget in SETS.items():
            for method in GENERIC + DUAL:
                offers = budget.kind in offered[method] and name not in LEFT_OUT.get(method, ())
                if seed < budget.seeds and offers:
                    call = partial(row, name, method, seed)
                    found[f"{name}, {method}, seed {seed}"] = Measure(call, (JUDGES.get(budget.kind, told_apart),))
    return found


if __name__ == "__main__":
    main(__doc__, "senses.json", measures(), {})
