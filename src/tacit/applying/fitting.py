"""`tacit fit`: from a run and a few labels to a head."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tacit import data as sources
from tacit.data.checking import verify
from tacit.data.samples import Samples
from tacit.data.shards import braced
from tacit.errors import TacitError, positive, unknown
from tacit.evaluation.intervals import subsample
from tacit.evaluation.labelled.fine_tuning import STEPS, answers
from tacit.evaluation.number import Number, under
from tacit.few_labels.folds import crossed
from tacit.few_labels.folds import folds as folded
from tacit.few_labels.heads import FROZEN, TUNED
from tacit.few_labels.judged import Judged, accuracy, judged, majority
from tacit.few_labels.labels import Labels, match, read
from tacit.few_labels.saved import Head, Told, open_head, write
from tacit.representing import features, plainly, representations
from tacit.run import Run, chunks
from tacit.sides import Side, side_of
from tacit.views.kinds import Plain

BATCH = 256
RAW = 2000  # labels at most by which raw input is judged: its rows are wide
FOLDS = 5


@dataclass(frozen=True)
class Candidate:
    """A kind of head, ready to be fitted on some of the labelled samples."""

    fit: Callable[[np.ndarray], Any]  # rows to learn from -> a module
    answer: Callable[[Any, np.ndarray], Tensor]  # the module, rows -> their logits, on the CPU


@dataclass(frozen=True)
class Material:
    """The samples that have a label, each with the place of its class."""

    by: Run | Side
    samples: Samples
    places: np.ndarray  # int64, 0…C−1
    whole: bool  # whether they are what the run was trained on, and neither a part of it nor what it is about


class Chosen(NamedTuple):
    """The candidate that is taken, and what was measured of all."""

    name: str
    judged: Judged
    numbers: dict[str, list[Number]]  # the taken one's first
    notes: list[str]


def fit(
    run: Run | str | Path,
    labels: str | Path | Mapping[str, object],
    *,
    out: str | Path,
    data: Any = None,
    head: str = "auto",
    abstain: float = 1.0,
    folds: int = FOLDS,
    steps: int | None = None,
    kind: str | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Head:
    """Put a head on a run's encoder from a few labels, calibrated and judged by cross-validation, and save it as a folder.

    labels   a .csv or .tsv with the columns id (or path) and label, or a mapping of ids to labels
    out      the folder to write, which must not be there
    data     the source that they are of; by default what the run was trained on
    head     probe, prototypes or sea, which are on frozen embeddings; finetune or core_tuning, which train a copy of the
             encoder too and take minutes. By default ("auto") the frozen one of the highest cross-validated accuracy
    abstain  the share of errors wanted among those that are answered: the head keeps silent where it is too unsure
    steps    of batches of 64, of the heads that train the encoder: 100 if not given
    What has a single label of its class is learned from and cannot be judged. The accuracy of a head that was chosen among
    others is, by that choice, a little too high.
    """
    out = Path(out)
    if out.exists():
        raise TacitError(f"{out} is there already; give another --out, or remove it.")
    if head not in ("auto", *FROZEN, *TUNED):
        raise unknown("head", head, ["auto", *FROZEN, *TUNED])
    if folds < 2 or not 0 < abstain <= 1:
        raise TacitError(f"Got {folds} folds and an error of {abstain} wanted; give 2 folds or more, and an error in (0, 1].")
    positive(steps=STEPS if steps is None else steps)
    if steps is not None and head not in TUNED:
        raise TacitError(f"--steps is of the heads that train the encoder; give --head {' or '.join(TUNED)}, or leave it out.")
    given = read(labels)
    run = run if isinstance(run, Run) else Run(run, device)
    opened = sources.open(_own(run) if data is None else data, kind)
    by = side_of(run, opened)
    samples = by.open(opened)
    found = match(given, samples.embedded())
    material = _read(by, samples, found)
    candidates = _candidates(head, material, steps or STEPS, seed)
    chosen = _chosen(candidates, material.places, folds, abstain, seed)
    model = candidates[chosen.name].fit(np.arange(len(material.places)))
    numbers = chosen.numbers | _raw(material, folds, seed)
    told = Told(
        tacit=version("tacit"),
        head=chosen.name,
        run=str(run.path.resolve()),
        encoder=by.fingerprint(),
        samples=opened.kind,
        data=str(opened.source),
        classes=list(found.classes),
        counts=np.bincount(material.places).tolist(),
        dim=(model.head if chosen.name in TUNED else model).weight.shape[1],
        temperature=chosen.judged.temperature,
        wanted=abstain,
        threshold=chosen.judged.threshold,
        seed=seed,
        numbers={name: [number.as_dict() for number in several] for name, several in numbers.items()},
        notes=found.notes + chosen.notes,
    )
    write(out, told, model)
    return open_head(out, run)


def _own(run: Run) -> str:
    """What a run was trained on, if it is still there."""
    source = run.config.data["source"]
    if not Path(source).exists() and braced(source) is None:
        raise TacitError(f"What {run.path} was trained on ({source}) is not there; give the source of the labels as --data.")
    return source


def _read(by: Run | Side, samples: Samples, found: Labels) -> Material:
    """The labelled samples that can be read."""
    embedded = samples.embedded()
    places = {embedded.ids[position]: place for position, place in zip(found.positions.tolist(), found.places.tolist())}
    good, corrupt = verify(embedded.take(found.positions))
    kept = np.array([places[id] for id in good.ids], np.int64)
    counts = np.bincount(kept, minlength=len(found.classes))
    if not counts.all():
        raise TacitError(
            f"No sample of {found.classes[int(counts.argmin())]!r} can be read ({corrupt[0].id}: {corrupt[0].why}); mend it, "
            "or take its label out."
        )
    return Material(by, good, kept, isinstance(by, Run) and embedded is samples)


def _candidates(head: str, material: Material, steps: int, seed: int) -> dict[str, Candidate]:
    """The head that was named, or all that are on frozen embeddings."""
    if head in TUNED:
        return {head: _tuned(head, material, steps, seed)}
    x, y = _embedded(material), torch.from_numpy(material.places)
    return {name: _frozen(name, x, y, seed) for name in (FROZEN if head == "auto" else [head])}


def _chosen(candidates: dict[str, Candidate], places: np.ndarray, folds: int, abstain: float, seed: int) -> Chosen:
    """The candidate of the highest cross-validated accuracy; of equally good ones the first, which is the simplest."""
    held = folded(places, folds, seed)
    rows = np.flatnonzero(held.any(0))
    logits = {name: crossed(candidate.fit, candidate.answer, held) for name, candidate in candidates.items()}
    target = torch.from_numpy(places[rows])
    reached = {name: accuracy(told, target, len(held)) for name, told in logits.items()}
    best = max(reached, key=lambda name: reached[name].value)
    found = judged(logits[best], target, held[:, rows], abstain)
    if math.isinf(found.threshold):
        raise TacitError(
            f"At no confidence are so few as {100 * abstain:.1f} % of the answers wrong, as far as {len(rows)} labels can tell "
            f"({best} is right in {reached[best].shown()}); give more labels, or a larger --abstain."
        )
    others = {name: [number] for name, number in reached.items() if name != best}
    tried = f"{best} was chosen among {', '.join(candidates)} by cross-validated accuracy."
    return Chosen(best, found, {best: [reached[best], majority(target), *found.numbers], **others}, [tried] * bool(others))


def _frozen(name: str, x: Tensor, y: Tensor, seed: int) -> Candidate:
    return Candidate(lambda rows: FROZEN[name](x[rows], y[rows], seed), lambda model, rows: model(x[rows]))


def _tuned(name: str, material: Material, steps: int, seed: int) -> Candidate:
    run = material.by
    if not material.whole or not isinstance(run, Run) or not isinstance(run.encoder, nn.Module):
        raise TacitError(
            f"{name} trains an encoder of {material.samples.kind} and {run.path} has none that is trained on these samples "
            f"alone; give --head {' or '.join(FROZEN)}."
        )
    encoder, part = run.encoder, plainly(run, material.samples, material.places)
    return Candidate(
        lambda rows: TUNED[name](encoder, part, rows, steps, seed), lambda model, rows: answers(model, part, rows).cpu()
    )


def _embedded(material: Material) -> Tensor:
    """All samples through the encoder, once: N × d."""
    samples = material.samples
    x = torch.cat([material.by.represent(samples.read(index)[0], index)[0] for index in chunks(len(samples), BATCH)])
    broken = (~x.isfinite()).any(1).nonzero().flatten()
    if len(broken):
        raise TacitError(
            f"The embeddings of {len(broken)} labelled samples are not finite, the first of {samples.ids[int(broken[0])]!r}; "
            "run tacit doctor on the run."
        )
    return x


def _raw(material: Material, folds: int, seed: int) -> dict[str, list[Number]]:
    """What the probe reaches on the samples as they are, without any encoder; nothing where they are no rows of numbers."""
    if not material.whole or not isinstance(material.by, Run):
        return {}
    some = subsample(len(material.places), RAW, "few labels, raw input")
    _, places = np.unique(material.places[some], return_inverse=True)
    if not len(held := folded(places, folds, seed)):
        return {}
    (x,) = features(material.by, material.samples.take(some), representations(material.by)["raw input"], Plain(), 0)
    raw = _frozen("probe", x, torch.from_numpy(places), seed)
    logits = crossed(raw.fit, raw.answer, held)
    target = torch.from_numpy(places[held.any(0)])
    return {"raw input": [under(accuracy(logits, target, len(held)), {"head": "probe"})]}
