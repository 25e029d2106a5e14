"""A head is a folder: head.safetensors and head.yaml, written whole or not at all."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import numpy as np
import torch
import yaml
from torch import Tensor, nn

from tacit.embeddings.output import part_of
from tacit.errors import TacitError
from tacit.evaluation.labelled.fine_tuning import Tuned
from tacit.evaluation.number import Number
from tacit.few_labels.affine import Affine
from tacit.few_labels.heads import FROZEN, TUNED
from tacit.run import Run, seen, untrained_encoder
from tacit.sides import Side
from tacit.training import checkpoint
from tacit.views import Program
from tacit.views.kinds import Plain

WEIGHTS, WORDS = "head.safetensors", "head.yaml"


@dataclass(frozen=True)
class Told:
    """What head.yaml says."""

    tacit: str  # the version that wrote it
    head: str  # its kind: a name of `heads`
    run: str  # the folder of the run
    encoder: str  # the fingerprint of what embeds
    samples: str  # the kind of data that it reads
    data: str  # the source that the labels are of
    classes: list[str]
    counts: list[int]  # labels of each class
    dim: int  # of what the head sees
    temperature: float
    wanted: float  # share of errors among those answered
    threshold: float  # of confidence, below which it keeps silent
    seed: int
    numbers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by what they are of, this head first
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Head:
    """A predictor on a run's encoder, with what was measured of it.

    path     its folder
    told     every choice and number (`head.yaml`)
    numbers  by what they are of: this head first, then the other heads that were tried, raw input
    """

    path: Path
    told: Told
    model: nn.Module
    numbers: dict[str, list[Number]]

    def number(self, name: str) -> Number:
        """One of this head's own."""
        return next(number for number in self.numbers[self.told.head] if number.name == name)

    def as_dict(self) -> dict[str, Any]:
        """JSON only."""
        return {"path": str(self.path), **asdict(self.told)}

    def __str__(self) -> str:
        told, own = self.told, {number.name: number for number in self.numbers[self.told.head]}
        beside = [f"{name} {numbers[0].shown()}" for name, numbers in self.numbers.items() if name != told.head]
        lines = [
            f"{self.path}: {told.head} for {len(told.classes)} classes from {sum(told.counts)} labels, on {told.run}.",
            f"Cross-validated accuracy {own['cross_validated'].shown()}; the commonest class {own['majority'].shown()}.",
            *([f"Beside it: {'; '.join(beside)}."] if beside else []),
            f"Calibration error {own['uncalibrated'].shown()} before, {own['calibrated'].shown()} after temperature "
            f"{told.temperature:.3g}.",
        ]
        if told.threshold > 0:
            lines.append(
                f"It answers {own['coverage'].shown()}, wrongly in {own['answered_error'].shown()} of these "
                f"({100 * told.wanted:.1f} % wanted), and keeps silent below a confidence of {told.threshold:.3f}."
            )
        rivals = [("The commonest class does", own["majority"])]
        rivals += [("The samples as they are do", number) for number in self.numbers.get("raw input", [])]
        found = [(who, 100 * (number.value - own["cross_validated"].value)) for who, number in rivals]
        lines += [f"{who} {_ahead(points)}: see tacit doctor on the run." for who, points in found if points >= 0]
        return "\n".join([*lines, *told.notes])


def _ahead(points: float) -> str:
    return f"better, by {points:.1f} points" if points >= 0.05 else "no worse"


def write(out: Path, told: Told, model: nn.Module) -> None:
    """Into a hidden sibling, which is renamed when it is whole."""
    part = part_of(out)
    try:
        checkpoint.save(part / WEIGHTS, model.state_dict(), {"head": told.head})
        checkpoint.write_text(part / WORDS, yaml.safe_dump(asdict(told), sort_keys=False, allow_unicode=True, width=120))
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def open_head(path: str | Path, run: Run) -> Head:
    """A head that `write` wrote, with the run that it was made on (`told_of` says which)."""
    path = Path(path)
    told = told_of(path)
    tensors, _ = checkpoint.read(path / WEIGHTS)
    if told.head in TUNED:
        encoder = untrained_encoder(run.config)()
        assert encoder is not None, "a run whose encoder was tuned has one"
        model: nn.Module = Tuned(encoder, torch.zeros(2, told.dim), np.arange(len(told.classes)))
    else:
        model = Affine(torch.zeros(len(told.classes), told.dim), torch.zeros(len(told.classes)), unit=False)
    checkpoint.restore(model, tensors)
    try:
        numbers = {name: [_number(saved) for saved in found] for name, found in told.numbers.items()}
    except (KeyError, TypeError) as error:
        raise TacitError(f"The numbers in {path / WORDS} are not whole ({error}); restore it, or fit again.") from error
    return Head(path, told, model.to(run.device if told.head in TUNED else "cpu").eval(), numbers)


def told_of(path: Path) -> Told:
    """What head.yaml in this folder says."""
    file = path / WORDS
    try:
        saved = yaml.safe_load(file.read_text(encoding="utf-8"))
        told = Told(**saved)
        kinds = get_type_hints(Told)
        if told.head in FROZEN | TUNED and all(isinstance(v, get_origin(kinds[n]) or kinds[n]) for n, v in vars(told).items()):
            return told
        raise TypeError
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TacitError(f"{path} holds no head (no {WORDS}); give a folder that `tacit fit --out` wrote.") from error
    except (TypeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise TacitError(f"{file} does not describe a head; restore it, or fit again.") from error


def logits_of(head: Head, by: Run | Side) -> Callable[[Any, np.ndarray], Tensor]:
    """What gives the logits of decoded content at these positions, n × classes, on the CPU."""
    if head.told.head not in TUNED:
        return lambda content, index: head.model(by.represent(content, index)[0])
    assert isinstance(by, Run), "an encoder is tuned on what its run was trained on"
    program = Program(Plain(), by.views)
    return lambda content, index: seen(
        lambda batch: head.model(batch.views[0]), program, content, index, 0, by.device, nullcontext, whole=True
    )[0]


def _number(saved: dict[str, Any]) -> Number:
    values = {name: float("nan") if saved[name] is None else saved[name] for name in ("value", "low", "high")}
    return Number(saved["name"], **values, protocol=saved["protocol"], why=saved["why"])
