"""A run taken apart: what each layer of its encoder and projector holds, and whether it tells how an image was turned."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tacit.data.checking import verify
from tacit.data.samples import Samples
from tacit.data.splitting import splits
from tacit.encoders.timm_models import TimmMaps, TimmTokens
from tacit.errors import TacitError
from tacit.evaluation.number import Number
from tacit.evaluation.panel import Judged
from tacit.evaluation.unlabelled.layers import Layers, layer, pooled, recorded, stages
from tacit.evaluation.unlabelled.rotation import QUARTERS, rotation_probe, rotations
from tacit.evaluation.unlabelled.temperature import Attention, attention
from tacit.method import Batch
from tacit.numerics import counter
from tacit.representing import Represent, features, representations
from tacit.run import Run
from tacit.training.signals import projects
from tacit.views.kinds import Pair, Plain, View

SAMPLES = 1000

Answers = dict[str, Tensor]  # of every layer by name, n × d each, in the order in which samples pass them


@dataclass(frozen=True)
class Dissection:
    """A run taken apart.

    layers     what each holds
    attention  at how many negatives a contrastive loss would look by temperature, on the last layer
    rotation   of images: the accuracy of a rotation probe, by representation
    """

    layers: Layers
    attention: Attention
    rotation: dict[str, Number]

    def __str__(self) -> str:
        turns = [f"Rotation probe, {name}: {number.why or number.shown()}" for name, number in self.rotation.items()]
        return "\n\n".join([str(self.layers), str(self.attention), *(["\n".join(turns)] if turns else [])])

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        turns = {name: number.as_dict() for name, number in self.rotation.items()}
        return {**self.layers.as_dict(), "attention": self.attention.as_dict(), "rotation": turns}


def dissect(
    run: Run | str | Path,
    data: Any,
    *,
    samples: int = SAMPLES,
    kind: str | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Dissection:
    """The numbers of every stage of a run's encoder, and of its projector where its method has one.

    data      a source; where it has labels, also kNN and the linear probe, of its test part by its train part
    samples   at most so many, drawn by counter
    The last stage's method is taken as it was at its end, whichever snapshot is open. Of neighbouring stages that answer
    alike, as dropout does when it is off, the last is told of.
    """
    run = run if isinstance(run, Run) else Run(run, device)
    parts = splits(verify(_drawn(run.open(data, kind), samples, seed))[0], seed=seed)[:2]
    answers = _answers_of(run)
    plain = [answers(part, Plain(), 0)[0] for part in parts]
    pairs: list[list[Answers]] = []
    if Pair in run.views.kinds:
        pairs = [answers(part, Pair(), counter.key(seed, "dissect", side)) for side, part in enumerate(parts)]
    found = []
    for name in _changing(plain[0]):
        views = None
        if pairs:
            views = (torch.cat([look[0][name] for look in pairs]), torch.cat([look[1][name] for look in pairs]))
        sides: dict[str, Judged] = {}
        if all(part.labels is not None for part in parts):
            labelled = (Judged(z[name], torch.from_numpy(part.labels)) for z, part in zip(plain, parts))
            sides = dict(zip(("train", "test"), labelled))
        found.append(layer(name, torch.cat([z[name] for z in plain]), views=views, **sides))
    last = torch.cat([z[found[-1].name] for z in plain])
    turns = turned(run, *parts) if run.facts.kind == "image" else {}
    return Dissection(Layers(found, sum(map(len, parts))), attention(last), turns)


def turned(run: Run, train: Samples, test: Samples) -> dict[str, Number]:
    """How well a linear head says by how many quarters an image was turned, on each representation; needs no labels."""

    def probed(represent: Represent) -> Number:
        def all_four(batch: Batch) -> Tensor:
            turns = rotations(batch.views[0]).flatten(0, 1)
            return represent(Batch([turns], batch.index.repeat_interleave(QUARTERS))).unflatten(0, (-1, QUARTERS)).flatten(1)

        rows = (features(run, part, all_four, Plain(), 0, batch=64)[0] for part in (train, test))
        return rotation_probe(*(z.unflatten(1, (QUARTERS, -1)) for z in rows))

    return {name: probed(represent) for name, represent in representations(run).items()}


def _answers_of(run: Run) -> Callable[[Samples, View, int], list[Answers]]:
    """What runs samples through the encoder and the projector: the answers for each view of a kind."""
    method = run.whole()
    encoder = method.encoder
    if not isinstance(encoder, nn.Module):
        raise TacitError(f"{run.config.method} has no encoder that could be taken apart; give a run of another method.")
    named = stages(encoder, "encoder")
    projector = method.get_submodule("projector") if projects(method) else nn.Identity()
    projected = not isinstance(projector, nn.Identity)
    if projected:
        named |= stages(projector, "projector")
    last = isinstance(encoder, TimmTokens) or (isinstance(encoder, TimmMaps) and encoder.last)
    widths: dict[str, int] = {}

    def all_layers(batch: Batch) -> Tensor:
        """Side by side, so that they go the way of every representation."""
        with recorded(named, last) as kept:
            z = encoder(batch.views[0])
            kept["encoder"] = pooled(z)
            if projected:
                kept["projector"] = pooled(projector(z))
        widths.update({name: x.shape[1] for name, x in kept.items()})
        return torch.cat([x.float() for x in kept.values()], 1)

    def answers(samples: Samples, kind: View, key: int) -> list[Answers]:
        rows = features(run, samples, all_layers, kind, key)
        return [dict(zip(widths, view.split([*widths.values()], 1))) for view in rows]

    return answers


def _changing(answers: Answers) -> list[str]:
    """The layers without those whose answer the next one repeats."""
    names = [*answers]
    alike = [answers[one].shape == answers[two].shape and _alike(answers[one], answers[two]) for one, two in pairwise(names)]
    return [name for name, repeated in zip(names, [*alike, False]) if not repeated]


def _alike(one: Tensor, two: Tensor) -> bool:
    """But for the rounding of bfloat16, of which a layer's answer may come."""
    return bool((one - two).norm() < 1e-2 * two.norm())


def _drawn(samples: Samples, most: int, seed: int) -> Samples:
    if most < 2:
        raise TacitError(f"{most} samples were asked for; give 2 or more.")
    return samples.take(np.sort(counter.permutation(counter.key(seed, "dissect"), len(samples))[:most]))
