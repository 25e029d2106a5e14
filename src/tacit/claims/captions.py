"""The arm of claims about images with captions: two encoders pretrained on some pairs, or what they are measured against."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.claims.claim import Measures
from tacit.claims.training import QUICK, UNTRAINED
from tacit.data import known
from tacit.data.captioned.opening import of_pair
from tacit.data.generated import tiny_images
from tacit.data.pairs import Pairs
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.labelled.matching import Score
from tacit.judging.matching import every, looks_of, numbers_of
from tacit.method import Method
from tacit.numerics import counter
from tacit.pretraining import pretrain
from tacit.run import Run
from tacit.sides import Look, of_part

SHARED: Mapping[str, Any] = {  # of all claims here
    "first": {"size": 32},
    "first_options": {"width": 24},
    "batch": 128,
    "epochs": 24,
    "epoch_batches": 7,
    "warmup": 2,
    "lr": 1e-3,
    "weight_decay": 1e-2,
}


@dataclass(frozen=True)
class OnCaptions:
    """Pretrain on so many pairs (0: all) of a known set's training part, and ask for the pairs of its test part.

    wrong  the share of these pairs whose captions are exchanged among themselves, drawn by the seed
    which  "this encoder", "untrained encoder" or "raw input", for which two nothing is trained but one step

    Measured in per cent, r1, r5 and r10: recall, the mean of both directions; zero_shot; linear: a probe of what the encoder of
    images says, fitted on all of the training part's images; nearer: how often a text is nearer to the origin than its image.
    And gap: how far the own text is above the nearest other one, in the score by which they are compared.
    """

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    pairs: int = 0
    wrong: float = 0.0
    set: str = "emoji-captions"
    which: str = "this encoder"

    def measure(self, seed: int, quick: bool) -> Measures:
        train, test = parts(quick, self.set)
        count = self.pairs or len(train)
        some = train.take(np.sort(counter.permutation(counter.key("claims"), len(train))[:count]))
        short = UNTRAINED if self.which != "this encoder" else {}
        options: dict[str, Any] = {**SHARED, **self.options, **(QUICK if quick else short)}
        shuffled = exchanged(some, self.wrong, seed)
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(shuffled, self.method, out=Path(folder) / "run", seed=seed, quiet=True, **options)
            return judged(run, self.which, train, test)


def parts(quick: bool, name: str = "emoji-captions") -> tuple[Pairs, Pairs]:
    """The training part and the test part of a known set; quick: of little generated data."""
    data = _generated() if quick else known(name)
    train, test = data.split("train"), data.split("test")
    assert isinstance(train, Pairs) and isinstance(test, Pairs)  # the set has captions
    return train, test


def judged(run: Run, which: str, learned: Pairs, asked: Pairs) -> Measures:
    """What one way to see images and captions reaches on the test part."""
    train, test = run.open(learned), run.open(asked)  # cut into the run's own tokens
    assert isinstance(train, Pairs) and isinstance(test, Pairs)
    look, score = looks_of(run, train)[which]()
    found = {number.name: 100 * number.value for number in numbers_of(run, look, score, test)}
    measures = {f"r{k}": (found[f"image_to_text_at_{k}"] + found[f"text_to_image_at_{k}"]) / 2 for k in (1, 5, 10)}
    features = _of_images(run, which, look)
    x, y = (of_part(run, features, part.first, 0) for part in (train, test))
    of_train, of_test = (torch.from_numpy(part.labels) for part in (train, test))
    own = {"zero_shot": found["zero_shot"], "linear": 100 * linear(x, of_train, y, of_test).value}
    return {**measures, **own, **_compared(run, look, score, test)}


def exchanged(pairs: Pairs, share: float, seed: int) -> Pairs:
    """The same images, so large a share of the captions moved on to the next of them; all of them are to be trained on."""
    index = np.arange(len(pairs))
    moved = counter.permutation(counter.key(seed, "wrong"), len(pairs))[: round(share * len(pairs))]
    index[moved] = index[np.roll(moved, 1)]
    joined = Pairs.of(pairs.first, pairs.second.take(index))
    joined.source, joined.splits = pairs.source, None
    return joined


def _of_images(run: Run, which: str, look: Look) -> Look:
    """What a probe reads: the encoder's answer without a head."""
    if which == "raw input":
        return lambda view, part: run.views.raw(view)
    own = getattr(getattr(look, "__self__", None), "encoder", None)  # of a method with heads
    return look if own is None else lambda view, part: own.first(view)


def _compared(run: Run, look: Look, score: Score, test: Pairs) -> Measures:
    texts, owner = every(test.second)
    images, said = of_part(run, look, test.first, 0), of_part(run, look, texts, 1)
    mine = torch.from_numpy(owner)
    near = score(images, said)
    own = near[mine, torch.arange(len(mine))]
    others: Tensor = near.masked_fill(torch.arange(len(images))[:, None] == mine, -torch.inf).amax(1)[mine]
    nearer = (said.norm(dim=1) < images.norm(dim=1)[mine]).float().mean()
    return {"gap": float((own - others).mean()), "nearer": 100 * float(nearer)}


def _generated() -> Pairs:
    """Cloth, and what it is called."""
    cloth = tiny_images(400)
    assert cloth.labels is not None  # it is made of classes
    return of_pair(cloth, [f"a piece of {cloth.classes[label]} cloth {i % 7}" for i, label in enumerate(cloth.labels)])
