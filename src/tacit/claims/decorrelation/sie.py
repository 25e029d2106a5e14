"""SIE: a half that moves as it is told keeps how a thing lies and what colour it has, beside a half that says what it is."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.coloured_digits import Part, digits
from tacit.claims.training import QUICK
from tacit.evaluation.labelled.linear import linear
from tacit.method import Batch, Encoder, Loss, Method
from tacit.methods.decorrelation.sie import SIE, TOLD, WEIGHTS, posed, split_terms, way
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.parts.mlp import mlp
from tacit.pretraining import pretrain
from tacit.run import Run
from tacit.views import Program
from tacit.views.kinds import Raster

IMAGES, TURN, DIM = 3_000, 90.0, 128
LOOKS, ASKED = 20, 300  # at each of so many digits, among which one is found that was foretold
SHARED: dict[str, Any] = {
    "size": 16, "batch": 128, "epochs": 12, "warmup": 1, "lr": 2e-3, "schedule": "cosine", "weight_decay": 1e-4,
    "crop": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0, "grey": 0.0, "blur": 0.0, "jitter": 1.0, "brightness": 0.0,
    "contrast": 0.0, "saturation": 0.0, "hue": 0.5,
}  # fmt: skip


class Invariant(Method):
    """VICReg on the same looks: the whole answer stays."""

    paper, views, recipe, whole_batch = SIE.paper, SIE.views, SIE.recipe, True

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.projector = mlp(encoder.dim, 2 * DIM, 2 * DIM, 2 * DIM, last_bias=False)

    def step(self, batch: Batch) -> Loss:
        halves = [self.projector(self.encoder(look)).chunk(2, 1) for look in posed(batch, TURN)[0]]
        return split_terms(halves[0], halves[1], halves[0][1], WEIGHTS | {"equivariance": 10.0})


class Concatenated(Method):
    """SIE whose second half is predicted by one linear map of it and what is told, side by side."""

    paper, views, recipe, whole_batch = SIE.paper, SIE.views, SIE.recipe, True

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        whole = SIE(encoder, dim=DIM)
        self.staying, self.invariant, self.equivariant = whole.staying, whole.invariant, whole.equivariant
        self.predictor = nn.Linear(DIM + TOLD, DIM)

    def step(self, batch: Batch) -> Loss:
        looks, poses = posed(batch, TURN)
        first, second = map(self.projected, looks)
        return split_terms(first, second, self.moved(first[1], way(*poses)), WEIGHTS)

    def projected(self, x: Tensor) -> tuple[Tensor, Tensor]:
        stays, moves = self.encoder(x).tensor_split([self.staying], 1)
        return self.invariant(stays), self.equivariant(moves)

    def moved(self, x: Tensor, told: Tensor) -> Tensor:
        return self.predictor(torch.cat([x, told], 1))


class Telling(Method):
    """What is told to SIE is what is to be found out here, from both looks side by side."""

    paper, views, recipe = SIE.paper, SIE.views, SIE.recipe

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.head = mlp(2 * encoder.dim, 2 * DIM, TOLD)

    def step(self, batch: Batch) -> Tensor:
        looks, poses = posed(batch, TURN)
        return mse_loss(self.head(torch.cat([self.encoder(look) for look in looks], 1)).float(), way(*poses))


@dataclass(frozen=True)
class Posed:
    """Digits in one hue that lie in many ways: which digit, how it lies and its hue are asked of one look each.

    digit   accuracy of a linear probe, in per cent
    turn    100 R² of the angle's cosine and sine by ridge regression; hue: the same of the hue on its circle
    found   100 times the mean of one over the rank of the foretold look among those of its digit, by cosine
    """

    method: type[Method]
    options: dict[str, Any]

    def measure(self, seed: int, quick: bool) -> Measures:
        data = digits(IMAGES, 1, quick)
        options = {**SHARED, **self.options, **(QUICK if quick else {})}
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(data.seen.samples, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            method = run.whole()
            (x, lying), (y, asked) = (seen(run, method, part, seed) for part in (data.probed, data.test))
            told = {"digit": 100 * linear(x, data.probed.told["subclass"], y, data.test.told["subclass"]).value}
            for name, column, factor in (("turn", 0, 1.0), ("hue", 1, 2 * torch.pi)):
                (a, b) = (factor * part[:, column] for part in (lying, asked))
                told[name] = 100 * explained(x, torch.stack([a.cos(), a.sin()], 1), y, torch.stack([b.cos(), b.sin()], 1))
            if hasattr(method, "moved"):
                told["found"] = 100 * reciprocal_rank(run, method, data.test, seed, 20 if quick else ASKED)
        return told


@torch.no_grad()
def seen(run: Run, method: Any, part: Part, seed: int) -> tuple[Tensor, Tensor]:
    """What the encoder says of one look at each sample, n × d, and how that lies, n × 2."""
    batch = looks(run, part, 1, counter.key(seed, "one look"))
    (look,), (pose,) = posed(batch, TURN)
    return torch.cat([method.encoder(some) for some in look.split(256)]), pose


def looks(run: Run, part: Part, number: int, key: int, most: int = 1 << 20) -> Batch:
    """So many looks at each sample, or at the first `most`."""
    index = torch.arange(min(len(part.samples), most))
    views, drawn = Program(Raster(looks=number), run.views)(part.samples.read(index.numpy())[0], index.numpy(), key)
    return Batch(views, index, params=drawn, key=key)


@torch.no_grad()
def reciprocal_rank(run: Run, method: Any, part: Part, seed: int, asked: int) -> float:
    """The mean reciprocal rank of each second look among all but the first, by what is foretold of it."""
    pictures, poses = posed(looks(run, part, LOOKS, counter.key(seed, "many looks"), asked), TURN)
    start, *others = (method.projected(picture)[1] for picture in pictures)
    foretold = unit(method.moved(start, way(poses[0], poses[1])))
    near = (torch.stack([unit(other) for other in others], 1) * foretold[:, None]).sum(2)
    return float((1.0 / (near >= near[:, :1]).sum(1)).mean())


def explained(x: Tensor, told: Tensor, y: Tensor, asked: Tensor) -> float:
    """R² of ridge regression fitted on x, n × d, and asked of y; not below 0."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), RidgeCV((0.1, 1.0, 10.0, 100.0))).fit(x.numpy(), told.numpy())
    return max(float(probe.score(y.numpy(), asked.numpy())), 0.0)


def rule(found: Found) -> dict[str, bool]:
    return {
        "turns are told better than by what is invariant as a whole": found.above("SIE", "invariant", "turn"),
        "and hues": found.above("SIE", "invariant", "hue"),
        "digits are told within 3 points of it": found.mean("invariant", "digit") - found.mean("SIE", "digit") < 3,
        "digits are told better than where only the way is found out": found.above("SIE", "telling the way", "digit"),
        "a foretold look is found better than by a map that is told side by side": found.above(
            "SIE", "told side by side", "found"
        ),
    }


CLAIM = Claim(
    says="A split representation, one half invariant and one moved by a hypernetwork that is told the transformation, keeps "
    "poses and colours that invariant methods lose, at little cost in classes; a predictor that gets them side by side "
    "learns invariance.",
    here="3 000 digits of mnist-20k in place of 3DIEBench's renders, each on a ground of one hue, seen at 16 pixels turned "
    "by up to 90 degrees to either side with their hue turned anywhere; small_resnet, 12 epochs of batches of 128, heads "
    "of 128 numbers for each half. Asked of single looks at 2 000 other digits by linear probes and ridge regression, "
    "there of pairs by perceptrons; a foretold look is sought among 19 of 300 digits. VICReg stands for what is "
    "invariant as a whole.",
    arms={
        "invariant": Posed(Invariant, {}),
        "telling the way": Posed(Telling, {}),
        "told side by side": Posed(Concatenated, {}),
        "SIE": Posed(SIE, {"dim": DIM}),
    },
    metric="turn",
    rule=rule,
    why="The half that is to vary knows the hue (95.6, of what is invariant 55.4), but after 280 steps the predictor "
    "turned by a hypernetwork finds a foretold look in 53, 39 and 27 of 100 by seed (20 side by side), which three "
    "seeds cannot tell apart, turns are not yet in it, and half of the width is left for the digit. The paper trains "
    "2 000 epochs. No longer run was tried.",
)
