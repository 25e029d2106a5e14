"""Architectures under made-up labels: without skips the last layers are worse than those before, and width helps.

checked: google/revisiting-self-supervised@b530e3b
Compared: rotation, its loss and gradients on a network without skips of the code's own convolutions, and the linear probes, by
its model_fn of either, run on TensorFlow 2.15. Its jigsaw, patches' places, exemplars, ResNets, RevNet and VGG have no
counterpart here and were read.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.training import QUICK
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.samples import Samples
from tacit.encoders.image import SmallResNet
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.unlabelled.layers import recorded, stages
from tacit.method import Batch, Facts, Method
from tacit.methods.pretext.jigclu import JigClu
from tacit.methods.pretext.rotnet import RotNet
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.representing import features
from tacit.run import Run
from tacit.views.kinds import Plain

IMAGES, PROBED, NARROWEST = 2_000, (3_000, 1_500), 8  # trained on; probes fitted and tested on; channels of the first stage
SHARED: dict[str, Any] = {"size": 16, "depth": [2, 2, 2], "warmup": 1}
PRETEXTS: dict[str, tuple[type[Method], dict[str, Any]]] = {  # as many images encoded by both
    "rotation": (RotNet, {"batch": 64, "epochs": 10}),
    "jigsaw": (JigClu, {"batch": 128, "epochs": 40}),
}
NETS = {"skips": "small_resnet", "no skips": "tacit.claims.pretext.revisiting_ssl:NoSkips"}


class Nothing(nn.Module):
    """What is added in place of a block's input."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(())


class NoSkips(SmallResNet):
    """The same convolutions one after another, as in VGG with norms."""

    def __init__(self, facts: Facts, *, width: int = 48, depth: tuple[int, ...] = (1, 2, 1)):
        super().__init__(facts, width=width, depth=depth)
        for block in self.blocks:
            block.shortcut = Nothing()


@dataclass(frozen=True)
class Layered:
    """A training, and the linear probe of each block's mean over its map, in per cent: of the last, of the best, and how much
    the last lost to it."""

    pretext: str
    net: str
    width: int

    def measure(self, seed: int, quick: bool) -> Measures:
        data = tiny_images(320) if quick else known("cifar10-15k")
        train, test = data.split("train"), data.split("test")
        some = taken(train, IMAGES)
        some.splits = None  # all of them are trained on
        method, own = PRETEXTS[self.pretext]
        options = {**SHARED, **own, "encoder": NETS[self.net], "width": self.width * NARROWEST, **(QUICK if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(some, method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            sides = [(layers(run, part), torch.from_numpy(part.labels)) for part in map(taken, (train, test), PROBED)]
        (x, of_x), (y, of_y) = sides
        found = [100 * linear(x[name], of_x, y[name], of_y).value for name in x]
        return {"linear": found[-1], "best": max(found), "lost": max(found) - found[-1]}


def taken(samples: Samples, count: int) -> Any:
    """So many of them, the same each time."""
    return samples.take(np.sort(counter.permutation(counter.key("claims"), len(samples))[:count]))


def layers(run: Run, samples: Samples) -> dict[str, Tensor]:
    """What the stem and each block say of samples, by name in their order: n × d each."""
    encoder, widths = run.encoder, dict[str, int]()
    assert encoder is not None  # as all methods here have one
    named = stages(encoder, "encoder")

    def side_by_side(batch: Batch) -> Tensor:
        with recorded(named) as kept:
            encoder(batch.views[0])
        widths.update({name: answer.shape[1] for name, answer in kept.items()})
        return torch.cat([*kept.values()], 1)

    (rows,) = features(run, samples, side_by_side, Plain(), 0)
    return dict(zip(widths, rows.split([*widths.values()], 1)))


def rule(found: Found) -> dict[str, bool]:
    conditions = {}
    for pretext in PRETEXTS:
        narrow, wide, plain = (f"{pretext}, {arm}" for arm in ("skips, × 1", "skips, × 4", "no skips, × 4"))
        conditions[f"{pretext}: four times the width is better, with skips"] = found.above(wide, narrow)
        conditions[f"{pretext}: the last layer loses more to the best one without skips"] = found.above(plain, wide, "lost")
        conditions[f"{pretext}: the last layer is better with skips"] = found.above(wide, plain)
    return conditions


CLAIM = Claim(
    says="What is known of architectures from supervised training does not always carry over: without skips the last layers of "
    "a network are worse than earlier ones, with skips they are not, and width helps.",
    here="2 000 images of cifar10-15k seen at 16 pixels in place of ImageNet; rotation, and jigsaw clustering in place of "
    "jigsaw, patches' places and exemplars; six residual blocks in place of ResNets and RevNet, and the same without "
    "skips in place of VGG, of 8, 16 and 32 channels at first; both tasks encode as many images; linear probes of each "
    "block's mean, on 3 000 and 1 500 images, in place of probes of maps. Whether a task's own accuracy ranks networks "
    "is not judged. Two of the five seeds were added, by the rule for claims whose means all had the right sign.",
    arms={
        f"{pretext}, {net}, × {width}": Layered(pretext, net, width)
        for pretext in PRETEXTS
        for net in NETS
        for width in (1, 2, 4)
    },
    metric="linear",
    rule=rule,
    seeds=5,
)
