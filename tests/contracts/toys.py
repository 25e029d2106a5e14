"""The toys of methods that the standard one does not fit: by key, what `check_method` is to use in its place."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from tacit.check import IMAGES, NODES, VECTORS, Case, Toy, untrained
from tacit.data.generated import tiny_images
from tacit.evaluation.labelled.linear import linear
from tacit.material import fit_views
from tacit.method import Trained
from tacit.views import Program
from tacit.views.kinds import Pair


def toy(key: str) -> Toy | None:
    """The toy of a method; None where the standard one fits."""
    return TOYS.get(key)


def but(base: Toy, **options) -> Toy:
    """The same toy with some options changed."""
    return replace(base, options={**base.options, **options})


def probed(case: Case, trained: Trained) -> tuple[float, float]:
    """The accuracy of a linear probe within the training set: the untrained encoder's and a margin, and what is reached."""
    labels = torch.from_numpy(case.materials["main"].samples.labels)
    test = torch.arange(len(labels)) % 5 == 0
    before, after = (linear(z[~test], labels[~test], z[test], labels[test]).value for z in (untrained(case), trained.embed()))
    return before + 0.05, after


def agreed(case: Case, trained: Trained) -> tuple[float, float]:
    """How often two looks choose the same output of the head, beyond chance: before training and a margin, and after."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(640)
    looks, _ = Program(Pair(), views)(samples.read(index)[0], index, 1)

    def beyond_chance(method: Any) -> float:
        with torch.no_grad():
            first, second = (method.eval().head(method.encoder(look)).argmax(1) for look in looks)
        usage = [torch.bincount(chosen, minlength=case.toy.options["k"]) / len(index) for chosen in (first, second)]
        return float((first == second).float().mean() - (usage[0] * usage[1]).sum())

    return beyond_chance(case.first_stage().method) + 0.1, beyond_chance(trained.method)


# Where something is held, epochs have two batches: what is held for one is let go within the steps that two processes take,
# what is held for six only after the step at which a run is killed.
TOYS: dict[str, Toy] = {
    "grace": NODES,
    "vgae": but(NODES, lr=0.01),
    "deepwalk": Toy(NODES.data, {"width": 16, "walks": 3, "length": 20}),
    "node2vec": Toy(NODES.data, {"width": 16, "walks": 10, "length": 40, "window": 5, "back": 0.5, "away": 2.0}),
    "line": Toy(NODES.data, {"width": 16, "draws": 100}),
    # On cloth of 12 pixels SimCLR too falls below the untrained encoder. A flat net, since eight crops through a deep one
    # have so many ReLUs that rounding flips some: there one process, its weights moved by 6e-8, differs from itself by 1e-4.
    "swav": but(
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False),
        **{"depth": [1], "local_size": 12, "local_crop": [0.5, 1.0], "temperature": 0.2},
        **{"epoch_batches": 2, "epochs": 160, "hold": {"prototypes": 1, "projector": 6}},
        **{"prototypes": 32, "hidden": 64, "dim": 32, "queue": 128, "queue_from": 0, "epsilon": 0.1},
    ),
    # Its clusters follow colour and light, which these views hardly change, and not the pattern: it is asked whether there are
    # clusters. Without the head's norms they collapse into one here.
    "dino": but(
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False, score=agreed),
        **{
            "depth": [1],
            "local_size": 12,
            "local_crop": [0.5, 1.0],
            "weight_decay": 1e-4,
            "decay_growth": 1,
        },
        **{"epoch_batches": 2, "epochs": 80, "hold": {"head.directions": 1, "head.layers": 6}},
        **{"k": 64, "hidden": 64, "bottleneck": 32, "norm": True, "teacher_momentum": 0.95, "sharpening": [0.03, 0.03]},
    ),
    "mae": but(  # of 12 pixels a patch would be one; kNN sees little of what a linear probe finds (He et al. 2021, section 4)
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False, score=probed),
        **{"patch": 4, "width": 64, "depth": 2, "heads": 2},
        **{"decoder_width": 32, "decoder_depth": 1, "decoder_heads": 2},
    ),
    "moco_v2": but(VECTORS, queue=512, teacher_momentum=0.99),
    # The papers' heads are wider than a toy has samples.
    "barlow_twins": but(VECTORS, dim=64),
    "vicreg": but(VECTORS, dim=64),
    "byol": but(VECTORS, dim=64, hidden=256),
    "simsiam": but(VECTORS, dim=256, hidden=64),
}
