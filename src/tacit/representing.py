"""Samples through a run: its own representation, and those that it is measured against."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.errors import TacitError
from tacit.evaluation.labelled.fine_tuning import Part
from tacit.method import Batch, Method
from tacit.run import Run, chunks, seen
from tacit.training.streams import move
from tacit.views import Program
from tacit.views.kinds import Plain, View

Represent = Callable[[Batch], Tensor]

RAW_SIDE = 32  # of the images that the raw baseline compares


def representations(run: Run) -> dict[str, Represent]:
    """The run's own representation first, then what it is measured against."""
    found: dict[str, Represent] = {"this encoder": run.method.represent if run.method is not None else _by(run.encoder)}
    untrained = run.untrained()
    if untrained is not None:
        found["untrained encoder"] = untrained.represent if isinstance(untrained, Method) else _by(untrained)
    raw = getattr(run.views, "raw", _raw)  # what a kind of data whose views are no rows of numbers has in their place
    found["raw input"] = lambda batch: torch.cat([raw(view) for view in batch.views], 1)
    return found


def _raw(view: Any) -> Tensor:
    """A plain view as a row of numbers; images larger than 32 pixels are averaged down to that, the usual tiny image."""
    if not isinstance(view, Tensor):
        return view.raw()  # of a graph: the features of the nodes themselves
    if view.ndim == 4 and view.shape[-1] > RAW_SIDE:
        view = torch.nn.functional.adaptive_avg_pool2d(view.float(), RAW_SIDE)
    return view.float().flatten(1)


def features(run: Run, samples: Samples, represent: Represent, kind: View, key: int, batch: int = 256) -> list[Tensor]:
    """All samples through `represent`: one N × d tensor for the plain view, or one per view of a random kind."""
    program, whole = Program(kind, run.views), isinstance(kind, Plain)
    check_suits(samples, run.facts.more, run.path)
    rows = []
    for index in chunks(len(samples), batch):
        content, _ = samples.read(index)
        rows.append(seen(represent, program, content, index, key, run.device, run.autocast, whole))
    return [torch.cat(view) for view in zip(*rows)]


def check_suits(samples: Samples, facts: Mapping[str, Any], path: Path) -> None:
    """Refuse what was opened by itself where a run reads it in pieces of its own: its numbers would mean other pieces."""
    if not samples.suits(facts):
        raise TacitError(f"{samples.source} is cut into other pieces than {path} knows; open it by the run: run.open(source).")


def plainly(run: Run, samples: Samples, labels: np.ndarray) -> Part:
    """Samples, each with a label, by their plain views: to train a copy of the run's encoder on."""
    program = Program(Plain(), run.views)

    @torch.no_grad()
    def look(rows: np.ndarray) -> Tensor:
        return program(move(samples.read(rows)[0], run.device), rows, 0)[0][0]

    return Part(look, labels)


def _by(encoder: Any) -> Represent:
    return lambda batch: encoder(batch.views[0])
