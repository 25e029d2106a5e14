"""G-SimCLR: batches without two samples of one pseudo-class have fewer false negatives, and teach more."""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
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
from tacit.methods.negatives.g_simclr import PAPER, SMALL, DenoisingAutoencoder, GSimCLR, apart
from tacit.numerics import counter
from tacit.numerics.kmeans import kmeans
from tacit.pretraining import pretrain
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

IMAGES, CLASSES = 4_000, 10
SHARED: dict[str, Any] = {"size": 16, "epochs": 8, "warmup": 1, "width": 16, "flip": 0.0}
LOOKS: dict[str, Any] = {"crop": (0.5, 1.0), "batch": CLASSES, "lr": 5e-4}


class Given(Method):
    """What G-SimCLR ends with, by pseudo-classes that a claim gives: so all arms of a seed begin alike."""

    paper, views, recipe, whole_batch = PAPER, GSimCLR.views, SMALL, True

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    @classmethod
    def stages(cls, *, of: str = "chance", begun: int = 0, short: bool = False, **own: Any):
        yield Stage(GSimCLR, recipe=SMALL, pseudo=pseudo(of, begun, short), **own)


@lru_cache(maxsize=4)
def pseudo(of: str, seed: int, quick: bool) -> Tensor:
    """As many pseudo-classes as classes: these themselves, random ones, or k-means of an autoencoder's codes: int64, n."""
    some, _, _ = parts(quick)
    assert some.labels is not None  # or nothing could be compared
    if of == "classes":
        return torch.from_numpy(some.labels)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(counter.key(seed, "claims", "g_simclr"))
        if of == "chance":
            return torch.randperm(len(some)) % CLASSES
        with tempfile.TemporaryDirectory() as folder:
            run = trained(some, DenoisingAutoencoder, folder, seed, quick, recipe="small")
            (codes,) = features(run, some, representations(run)["this encoder"], Plain(), 0)
        return kmeans(codes, CLASSES)[0]


def parts(quick: bool) -> tuple[Samples, Samples, Samples]:
    """Some digits to be trained on, and all of both parts to be judged by."""
    data = tiny_images(320) if quick else known("mnist-20k")
    train, test = data.split("train"), data.split("test")
    some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[:IMAGES]))
    some.splits = None  # all of them are trained on
    return some, train, test


def trained(some: Samples, method: type[Method], folder: str, seed: int, quick: bool, **own: Any) -> Run:
    options = {**SHARED, **own, **({**QUICK, "batch": 4} if quick else {})}
    return pretrain(some, method, out=Path(folder) / "run", seed=seed, quiet=True, **options)


@dataclass(frozen=True)
class Batches:
    """SimCLR in batches by pseudo-classes, and which share of the pairs in them are of one class, in per cent."""

    of: str
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        some, train, test = parts(quick)
        own = {**LOOKS, **(UNTRAINED if self.which == "untrained encoder" else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = trained(some, Given, folder, seed, quick, of=self.of, begun=seed, short=quick, **own)
            measured = judged(run, self.which, train, test)
        torch.manual_seed(seed)
        batches = apart(pseudo(self.of, seed, quick), 4 if quick else CLASSES)
        return measured | {"alike": 100 * alike(torch.from_numpy(some.labels), batches)}


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
    here="4 000 digits of mnist-20k in place of CIFAR-10, whose k-means clusters are no classes, seen at 16 pixels in crops of "
    "at least half of the image and not mirrored, small_resnet of width 16; 8 epochs of batches of 10, after as many of the "
    "autoencoder in batches of 64, and as many clusters as a batch has samples, as in the paper; or ten random parts, which "
    "is SimCLR, or the true classes, the best there can be; all arms of a seed begin alike; kNN of the test part. (A first "
    "run, in batches of 20 by twenty clusters, or halves of the classes, its arms begun by other weights, met two of the "
    "four conditions with five seeds; one like this, in which digits drawn twice in an epoch were seen alike, by a fault that "
    "is mended, three.)",
    arms={
        "untrained": Batches("chance", "untrained encoder"),
        "SimCLR": Batches("chance"),
        "G-SimCLR": Batches("codes"),
        "by true classes": Batches("classes"),
    },
    metric="knn",
    rule=rule,
    seeds=5,
    why="Batches of true classes are 2.9 points above random ones, as is claimed, but ten clusters of codes leave 6.1 of 100 "
    "pairs alike where random batches have 10, and of what true classes gain theirs keep a fifth: 0.6 points (± 0.7), "
    "above in four of five seeds. K-means of a small autoencoder's codes of digits finds too few of the classes. No "
    "longer run was tried.",
)
