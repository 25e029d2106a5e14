"""OBoW: predicting a bag of words whose vocabulary follows the teacher teaches, and one that stays as it began does less."""

from torch import Tensor

from tacit.claims.claim import Claim, Found
from tacit.claims.training import Training, Untrained
from tacit.method import Batch, Maps, Method
from tacit.methods.contrast.moco_v2 import MoCoV2
from tacit.methods.self_distillation.byol import BYOL
from tacit.methods.self_distillation.obow import OBoW
from tacit.parts.queue import Queue

SHARED = {"size": 24, "width": 24, "depth": [1, 1], "batch": 128, "epochs": 24, "warmup": 1}
IMAGES = 3_000
SMALL = OBoW.recipes["small"]
OWN = {**SMALL.options, "border": 1, "window": 3, "teacher_momentum": 0.97}
QUEUE = {"queue": 1024, "teacher_momentum": 0.99, "temperature": 0.1}  # of MoCo v2
FAST = {"lr": 8e-3}  # and 2e-3 for MoCo v2: what `here` says of them


class Once(Queue):
    """A queue that takes nothing more once it is full."""

    def push(self, rows: Tensor) -> None:
        if not self.full:
            super().push(rows)


class Frozen(Method):
    """The same whose vocabulary stays as it was when it was first filled, from a slow copy that had hardly learned."""

    paper, views, whole_batch, recipe = OBoW.paper, OBoW.views, True, SMALL.but(options={})

    def __init__(self, encoder: Maps):
        super().__init__(encoder)  # type: ignore[arg-type]  # which is called too, as every encoder with maps is
        self.inner = OBoW(encoder, **OWN)
        first, self.inner.words = self.inner.words.rows, Once(OWN["queue"], encoder.dim)
        self.inner.words.rows.copy_(first)

    def step(self, batch: Batch):
        return self.inner.step(batch)


def rule(found: Found) -> dict[str, bool]:
    return {
        "it is above the untrained encoder": found.above("OBoW", "untrained"),
        "it is above itself with the first vocabulary": found.above("OBoW", "first vocabulary"),
        "it is not below BYOL": not found.above("BYOL", "OBoW"),
        "nor MoCo v2": not found.above("MoCo v2", "OBoW"),
    }


CLAIM = Claim(
    says="Predicting bags of words that a teacher reads in the whole image, with a vocabulary that is renewed as it learns, "
    "is above earlier methods (ImageNet, linear: 73.8 %) and above a vocabulary that stays.",
    here="3 000 images of cifar10-15k in place of ImageNet, seen at 24 pixels, a residual network of two blocks of 24 and 48 "
    "channels with a map of 6 × 6; 24 epochs of batches of 128, each at the rate that was best of 0.001, 0.002, 0.004, "
    "0.008 and 0.016 on 2 000 images held out of the training part, at another seed (0.008; MoCo v2 0.002); 1 024 words of "
    "its own map, two crops and no small ones; the first vocabulary is what fills it in 8 steps; the linear probe of the "
    "test part. The second level of words is left out. (A first run, of 8 epochs, at whose end the slow copy was still "
    "untrained to two fifths, and a second, at a rate of 0.001 for OBoW and 0.002 for the others, met one of the four "
    "conditions each; this one with three seeds three of them.)",
    arms={
        "untrained": Untrained(Training(OBoW, IMAGES, {**SHARED, **OWN, **FAST})),
        "BYOL": Training(BYOL, IMAGES, {**SHARED, **FAST}),
        "MoCo v2": Training(MoCoV2, IMAGES, {**SHARED, **QUEUE, "lr": 2e-3}),
        "first vocabulary": Training(Frozen, IMAGES, {**SHARED, **FAST}),
        "OBoW": Training(OBoW, IMAGES, {**SHARED, **OWN, **FAST}),
    },
    metric="linear",
    seeds=5,
    rule=rule,
    why="Words that follow the teacher are 2.0 points above the first vocabulary, as is claimed, 5.9 above the untrained "
    "encoder and 3.2 above BYOL. MoCo v2 is 1.3 above (± 0.9; by kNN 2.8): 550 steps are few for a teacher that has to "
    "find its own words in a map of 6 × 6, and its second level of words and small crops, which the full method has, are "
    "left out here; the paper trains 200 epochs of ImageNet. No longer run was tried.",
)
