"""SepCLR: beside photographs without digits, one code tells the digit and another the photograph behind it."""

import tempfile
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tacit.claims.claim import Claim, Found, Measures, interval
from tacit.claims.training import QUICK
from tacit.data import known
from tacit.data.generated import tiny_images
from tacit.data.images import ImageArrays
from tacit.data.samples import Samples
from tacit.evaluation.labelled.linear import linear
from tacit.method import Batch, Encoder, Method
from tacit.methods.contrast.sepclr import HIDDEN, LOOKS, SepCLR
from tacit.methods.contrast.simclr import SimCLR
from tacit.numerics import counter
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.pretraining import pretrain
from tacit.representing import features
from tacit.views.kinds import Plain

IMAGES, PROBED = 2_000, 2_000  # of targets and of background each; by which probes are fitted, and judged
SHARED: dict[str, Any] = {"size": 16, "batch": 128, "epochs": 20, "warmup": 1, "recipe": "small"}


class Laid(NamedTuple):
    """Photographs with digits laid over them, and what each shows; int64, n."""

    samples: ImageArrays
    digits: Tensor
    objects: Tensor


class Parts(NamedTuple):
    """What is trained on, and other targets by which probes are fitted and judged."""

    targets: Laid
    background: ImageArrays
    probed: Laid
    test: Laid


@lru_cache(maxsize=1)
def parts(quick: bool) -> Parts:
    """Quick: generated cloth in place of both sets."""
    cloth = tiny_images(1920, size=32)
    photographs, digits = (cloth, cloth.with_channels(1)) if quick else (known("cifar10-15k"), known("mnist-20k"))
    n, m = (160, 160) if quick else (IMAGES, PROBED)
    behind, over = photographs.split("train"), digits.split("train")
    rows = counter.permutation(counter.key("claims"), len(behind))
    pieces = [behind.take(np.sort(some)) for some in (rows[:n], rows[n : 2 * n], rows[2 * n : 2 * n + m])]
    order = counter.permutation(counter.key("claims, over"), len(over))
    strokes = over.take(np.sort(order[:n])), over.take(np.sort(order[n : n + m]))
    last = photographs.split("test"), digits.split("test")
    test = laid(*(part.take(np.arange(min(m, len(last[0]), len(last[1])))) for part in last))
    return Parts(laid(pieces[0], strokes[0]), halved(pieces[1]), laid(pieces[2], strokes[1]), test)


def halved(behind: Samples) -> ImageArrays:
    """Photographs half as bright, as they show behind digits."""
    assert isinstance(behind, ImageArrays)  # as the sets used here are
    pixels = behind.pixels[behind.rows] // 2
    return replace(behind, pixels=pixels, rows=np.arange(len(pixels)), labels=None, classes=(), splits=None)


def laid(behind: Samples, over: Samples) -> Laid:
    """Digits of 28 or 32 pixels, half as bright, over as many photographs of 32."""
    assert isinstance(over, ImageArrays) and behind.labels is not None and over.labels is not None
    ground, strokes = halved(behind), over.pixels[over.rows]
    edge = (32 - strokes.shape[1]) // 2
    strokes = np.pad(strokes, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    shown = replace(ground, pixels=ground.pixels + strokes // 2)
    return Laid(shown, torch.from_numpy(over.labels), torch.from_numpy(behind.labels))


def asked(fitted: Tensor, of: Laid, judged: Tensor, by: Laid) -> Measures:
    """What linear probes tell of digits and of what is behind them, in per cent."""
    return {
        "digit": 100 * linear(fitted, of.digits, judged, by.digits).value,
        "object": 100 * linear(fitted, of.objects, judged, by.objects).value,
    }


@dataclass(frozen=True)
class Separated:
    """SepCLR, its two codes asked each by itself."""

    options: dict[str, Any] = field(default_factory=dict)

    def measure(self, seed: int, quick: bool) -> Measures:
        data, options = parts(quick), {**SHARED, **self.options, **(QUICK if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(
                data.targets.samples, SepCLR, streams={"background": data.background}, out=Path(folder) / "run", seed=seed,
                quiet=True, **options,
            )  # fmt: skip
            method = run.whole()
            (x,), (y,) = (features(run, part.samples, method.represent, Plain(), 0) for part in (data.probed, data.test))
        codes = zip(("common", "salient"), x.chunk(2, 1), y.chunk(2, 1))
        found = {name: asked(fitted, data.probed, judged, data.test) for name, fitted, judged in codes}
        return {f"{name} {what}": value for name, told in found.items() for what, value in told.items()}


class OneCode(Method):
    """SimCLR of a code as long as one of SepCLR's, below a head like its heads."""

    paper, views, whole_batch, recipe = SimCLR.paper, LOOKS, True, SepCLR.recipes["small"]

    def __init__(self, encoder: Encoder, *, dim: int = 32, temperature: float = 0.1):
        super().__init__(encoder)
        self.code, self.head, self.temperature = nn.Linear(encoder.dim, dim), mlp(dim, HIDDEN, dim), temperature

    def step(self, batch: Batch):
        first, second = (self.head(self.code(self.encoder(view))) for view in batch)
        return nt_xent(first, second, self.temperature)

    def represent(self, batch: Batch):
        return self.code(self.encoder(batch.views[0]))


@dataclass(frozen=True)
class Together:
    """One code of targets and background alike, of as many images a step, stands for both."""

    def measure(self, seed: int, quick: bool) -> Measures:
        data, options = parts(quick), {**SHARED, "batch": 2 * SHARED["batch"], **(QUICK if quick else {})}
        del options["recipe"]  # it has one alone
        both = np.concatenate([data.targets.samples.pixels, data.background.pixels])
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(both, OneCode, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            method = run.whole()
            (x,), (y,) = (features(run, part.samples, method.represent, Plain(), 0) for part in (data.probed, data.test))
        told = asked(x, data.probed, y, data.test)
        return {f"{name} {what}": value for name in ("common", "salient") for what, value in told.items()}


def rule(found: Found) -> dict[str, bool]:
    def more(arm: str, metric: str, than: str, other: str = "") -> bool:
        gap = found.values(arm, metric) - found.values(other or arm, than)
        return bool(interval(gap).low > 0)

    return {
        "the salient code tells more of digits than the common one": more("SepCLR", "salient digit", "common digit"),
        "the common code tells more of photographs than the salient one": more("SepCLR", "common object", "salient object"),
        "the salient code tells more of digits than SimCLR's": found.above("SepCLR", "SimCLR", "salient digit"),
        "and less of photographs": found.above("SimCLR", "SepCLR", "salient object"),
        "without the joint entropy the common code tells more of digits": found.above(
            "without joint entropy", "SepCLR", "common digit"
        ),
    }


CLAIM = Claim(
    says="Contrast in two codes, one of what targets share with a background and one of what they alone have, with a penalty "
    "on what these know of each other, separates both better than earlier contrastive analysis.",
    here="2 000 digits of mnist-20k laid over images of cifar10-15k, and 2 000 other images of it as background, in place of "
    "25 000 each, seen at 16 pixels, small_resnet (SepCLR has two of them), 20 epochs of batches of 128 of both by one "
    "recipe; linear probes of the digit and of what is behind it, fitted on 2 000 other targets and judged on 2 000 of "
    "both test parts, of codes of 32 numbers each. SimCLR sees both sets alike, in as many batches of 256. Autoencoders "
    "for contrastive analysis are left out. (A first run, half as long, in which SimCLR took twice the steps at twice the "
    "rate and was asked by all 192 numbers of its encoder, and this one with three seeds met two of the five "
    "conditions.)",
    arms={
        "SimCLR": Together(),
        "without joint entropy": Separated({"independence": 0.0}),
        "SepCLR": Separated(),
    },
    metric="salient digit",
    seeds=5,
    rule=rule,
    why="The codes part as claimed: the common one tells photographs (31.7, the salient one 20.1), the salient one digits "
    "(44.3 and 31.0), of which the joint entropy takes 6.2 points from the common one. But by digits the salient code is "
    "only 2.3 above SimCLR's one code (± 5.0 over seeds): by 9.3 in the one run of five that tells digits far better "
    "(53.4, the others 38.8 to 45.5), with the joint entropy or without, and by 1.4 at most in the others. 300 steps from "
    "scratch are few; the paper trains 250 epochs of 25 000 images. This run was the longer one.",
)
