"""G-SimCLR: batches without two samples of one pseudo-class have fewer false negatives, and teach more."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.training import QUICK, UNTRAINED, judged
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.method import Encoder, Method, Stage
from tacit.methods.negatives.g_simclr import PAPER, SMALL, GSimCLR, apart
from tacit.numerics import counter
from tacit.pretraining import pretrain

IMAGES, BATCH, CLASSES = 4_000, 20, 10
SHARED: dict[str, Any] = {"size": 16, "batch": BATCH, "epochs": 6, "warmup": 1, "width": 16, "flip": 0.0}


class Given(Method):
    """G-SimCLR with other pseudo-classes, as many as a batch has samples: random ones, which is SimCLR, or halves of the true
    classes, the best there can be."""

    paper, views, recipe, whole_batch = PAPER, GSimCLR.views, SMALL, True

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    @classmethod
    def stages(cls, *, true: bool = False, quick: bool = False, **own: Any):
        labels = torch.from_numpy(parts(quick)[0].labels)
        halves, drawn = torch.rand(len(labels)) < 0.5, torch.randperm(len(labels)) % (2 * CLASSES)
        yield Stage(GSimCLR, recipe=SMALL, pseudo=labels + CLASSES * halves if true else drawn, **own)


def parts(quick: bool) -> tuple[Any, Samples, Samples]:
    """Some digits to be trained on, and all of both parts to be judged by."""
    data = tiny_images(320) if quick else known("mnist-20k")
    train, test = data.split("train"), data.split("test")
    some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[:IMAGES]))
    some.splits = None  # all of them are trained on
    return some, train, test


@dataclass(frozen=True)
class Batches:
    """A training, and which share of the pairs in its batches are of one class, in per cent."""

    method: type[Method]
    options: dict[str, Any] = field(default_factory=dict)
    trained: bool = True

    def measure(self, seed: int, quick: bool) -> Measures:
        some, train, test = parts(quick)
        size = 4 if quick else BATCH  # of which there are halves of classes enough
        own: dict[str, Any] = {"quick": True} if quick and self.method is Given else {}
        options = {**SHARED, **self.options, **own, **({} if self.trained else UNTRAINED)}
        options |= {**QUICK, "batch": size} if quick else {}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(some, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            pseudo: Any = run.whole().pseudo
            which = "this encoder" if self.trained else "untrained encoder"
            measured = judged(run, which, train, test)
        torch.manual_seed(seed)
        return measured | {"alike": 100 * alike(torch.from_numpy(some.labels), apart(pseudo, size))}


def alike(labels: Tensor, batches: list[Tensor]) -> float:
    """The share of pairs of one class among all pairs within a batch."""
    of = labels[torch.stack(batches)]
    same = (of[:, :, None] == of[:, None]).float().mean((0, 1, 2)) * of.shape[1]  # of a sample's own batch, itself included
    return float((same - 1) / (of.shape[1] - 1))


def rule(found: Found) -> dict[str, bool]:
    return {
        "its batches have fewer pairs of one class": found.above("SimCLR", "G-SimCLR", "alike"),
        "it is above the untrained encoder": found.above("G-SimCLR", "untrained"),
        "it is above SimCLR": found.above("G-SimCLR", "SimCLR"),
        "by true classes it is above SimCLR": found.above("by true classes", "SimCLR"),
    }


CLAIM = Claim(
    says="Batches of samples of different pseudo-classes, by k-means of an autoencoder's codes, teach more than random ones "
    "(CIFAR-10, linear: 41.0 % in place of 39.4 %), since fewer negatives are of the anchor's class.",
    here="4 000 digits of mnist-20k in place of CIFAR-10, whose k-means clusters are no classes, seen at 16 pixels and not "
    "mirrored, small_resnet of width 16; 6 epochs of batches of 20, after as many of the autoencoder, and as many clusters as "
    "a batch has samples, as in the paper; or random halves of the true classes; kNN of the test part. "
    "Two of the five seeds were added, by the rule for claims whose means all had the right sign.",
    arms={
        "untrained": Batches(Given, trained=False),
        "SimCLR": Batches(Given),
        "G-SimCLR": Batches(GSimCLR, {"clusters": BATCH}),
        "by true classes": Batches(Given, {"true": True}),
    },
    metric="knn",
    rule=rule,
    seeds=5,
    why="Batches of other clusters gain 1.3 points over SimCLR's by kNN and 0.4 by the linear probe, of true classes 1.8 "
    "and 0.9, and even five seeds scatter by more: digits, of which an untrained encoder knows 85 of 100, leave "
    "little room where the paper has 2 to 4 points. No longer run was tried.",
)
