"""Relative representations: by their cosines to the same anchors, two spaces that were trained apart understand each other."""

from dataclasses import dataclass
from functools import lru_cache

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.embedded import Embedded, embedded
from tacit.claims.training import Training
from tacit.evaluation.between.stitching import stitching_accuracy
from tacit.evaluation.labelled.knn import knn
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.decorrelation.vicreg import VICReg

SHARED = {"size": 16, "batch": 128, "epochs": 6, "warmup": 1, "flip": 0.0}  # digits are not mirrored
ANCHORS = (10, 100, 500)
APART = 1000  # between the seeds of two spaces of one claim's seed


@lru_cache(maxsize=1)
def spaces(seed: int, quick: bool) -> dict[str, Embedded]:
    """Three spaces of the same images: the one whose head is taken, and those that are put before it."""
    first, second = (Training(method, 5_000, SHARED, "mnist-20k") for method in (SimCLR, VICReg))
    return {
        "head": embedded(first, seed, quick),
        "seed": embedded(first, seed + APART, quick),
        "method": embedded(second, seed + 2 * APART, quick),
    }


@dataclass(frozen=True)
class Stitched:
    """The head of one space asked about the test part as another space sees it; without anchors in its own coordinates."""

    other: str
    anchors: int = 0

    def measure(self, seed: int, quick: bool) -> Measures:
        head, other = (spaces(seed, quick)[name] for name in ("head", self.other))
        own, asked = (head.train, head.train_labels), (other.test, other.test_labels)
        if not self.anchors:
            return {"accuracy": 100 * knn(*own, *asked).value}
        found = stitching_accuracy(head.train, other.train, head.train_labels, *asked, anchors=self.anchors, seed=seed)
        return {"accuracy": 100 * found.value}


def rule(found: Found) -> dict[str, bool]:
    few, some, many = (f"another seed, {n} anchors" for n in ANCHORS)
    return {
        "between seeds relative coordinates are above absolute ones": found.above(many, "another seed, absolute"),
        "between methods too": found.above("another method, 500 anchors", "another method, absolute"),
        "between seeds the head keeps nine tenths of its accuracy": found.mean(many) > 0.9 * found.mean("itself, absolute"),
        "between methods eight tenths": found.mean("another method, 500 anchors") > 0.8 * found.mean("itself, absolute"),
        "in absolute coordinates it loses more than half": found.mean("another seed, absolute")
        < 0.5 * found.mean("itself, absolute"),
        "more anchors are better: 100 above 10": found.above(some, few),
        "relative coordinates cost the space itself less than 5 points": found.mean("itself, absolute")
        - found.mean("itself, 500 anchors")
        < 5,
    }


CLAIM = Claim(
    says="Coordinates relative to shared anchors let a head trained on one encoder read another, of another seed or kind, "
    "without any training.",
    here="Three encoders of mnist-20k per seed, small_resnet at 16 pixels, 6 epochs of 5 000 images in batches of 128: "
    "SimCLR twice and VICReg once, in place of pretrained vision and word models. Anchors are drawn from the training part; "
    "the head is kNN in place of a small network, and asked about the test part. Stitched decoders are left out.",
    arms={
        "itself, absolute": Stitched("head"),
        "itself, 500 anchors": Stitched("head", 500),
        "another seed, absolute": Stitched("seed"),
        **{f"another seed, {n} anchors": Stitched("seed", n) for n in ANCHORS},
        "another method, absolute": Stitched("method"),
        "another method, 500 anchors": Stitched("method", 500),
    },
    metric="accuracy",
    rule=rule,
    why="Between seeds the head keeps 0.895 of its accuracy (84.2 of 94.1) where 0.9 was asked. Likely three seeds are too "
    "few to tell such a gap of 0.5 points (± 5.1), and kNN, in place of a small network that is trained on them, loses 4.5 "
    "points by relative coordinates alone. No longer run was tried.",
)
