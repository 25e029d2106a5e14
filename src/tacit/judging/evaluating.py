"""`tacit evaluate`: how good a run is, beside raw input and the untrained encoder, and the report."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.data.checking import verify
from tacit.data.networks.collections import GraphCollection
from tacit.data.networks.graph import GraphNodes, Held
from tacit.data.samples import Samples
from tacit.data.series.samples import SeriesSamples
from tacit.data.splitting import splits
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.labelled.graphs import graph_classification
from tacit.evaluation.labelled.links import link_prediction
from tacit.evaluation.labelled.nodes import node_classification
from tacit.evaluation.number import under
from tacit.evaluation.panel import Judged, judge
from tacit.judging.forecasting import advice, series_numbers
from tacit.judging.telling import some, tell, trained_on
from tacit.method import Method
from tacit.modalities import MODALITIES
from tacit.numerics import colours, counter
from tacit.representing import Represent, features, representations
from tacit.run import Run
from tacit.training.checkpoint import write_text
from tacit.views.kinds import Pair, Plain

ROUNDS, COLOURS = 3, 128  # of Weisfeiler and Lehman's baseline: rounds, and colours of each round that are counted
LOOKED_AT, LOOKS = 1000, 6  # samples of which LiDAR sees several looks, and how many


def evaluate(
    run: Run | str | Path,
    data: Any,
    *,
    report: str | Path | None = None,
    kind: str | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Evaluation:
    """Judge a run on a source, with its labels where it has some, beside raw input and the untrained encoder.

    The source's own train and test parts are used, else a fifth is kept for testing by hash of the id. The report goes to
    `report`, by default into the run; the numbers go into the run as `evaluation.json`.
    """
    run = run if isinstance(run, Run) else Run(run, device)
    if own := MODALITIES[run.facts.kind].judge:
        module, _, name = own.partition(":")
        return getattr(import_module(module), name)(run, data, report=report, kind=kind, seed=seed)
    return by_panel(run, run.open(data, kind), report=report, seed=seed)


def by_panel(run: Run, samples: Samples, *, report: str | Path | None = None, seed: int = 0) -> Evaluation:
    """Judge a run by every number that labels and views allow, beside raw input and the untrained encoder."""
    opened, corrupt = verify(samples)
    train, test, how = splits(opened, seed=seed)
    same = trained_on(run, opened)
    if same:
        how += "; all of them were seen, without labels, in pretraining"
    numbers = {name: _judged(run, represent, train, test, seed) for name, represent in representations(run).items()}
    protocol = {"data": str(opened.source), "split": how, "seed": seed, "encoder": run.config.encoder, "corrupt": len(corrupt)}
    if isinstance(opened, GraphNodes | GraphCollection) and opened.labels is not None:
        for name, represent in representations(run).items():
            numbers[name] += _by_protocol(run, represent, opened, seed)
    if isinstance(opened, GraphCollection) and opened.labels is not None:
        numbers["Weisfeiler–Lehman"] = [_in_folds(_neighbourhoods(opened), opened, seed)]
    if isinstance(opened, GraphNodes) and opened.held is not None:
        for name, represent in representations(run).items():
            (z,) = features(run, opened, represent, Plain(), 0)
            numbers[name] += _links(z, opened.held, same)
    if isinstance(opened, SeriesSamples):
        for name, found in series_numbers(run, opened, train, test).items():
            numbers[name] = found + numbers.get(name, [])
    evaluation = Evaluation({name: [under(n, protocol) for n in found] for name, found in numbers.items()})
    pages = Path(report) if report is not None else run.path / "report.html"
    tell(run, test, pages, evaluation, corrupt, advised=advice(evaluation))
    write_text(run.path / "evaluation.json", json.dumps(evaluation.as_dict(), indent=1))
    return evaluation


def _judged(run: Run, represent: Represent, train: Samples, test: Samples, seed: int) -> list[Any]:
    (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in (train, test))
    views, looks = None, None
    if Pair in run.views.kinds:
        first, second = features(run, test, represent, Pair(), counter.key(seed, "judge"))
        views, watched = (first, second), some(test, LOOKED_AT)
        pairs = (features(run, watched, represent, Pair(), counter.key(seed, "looks", i)) for i in range(LOOKS // 2))
        looks = torch.stack([look for pair in pairs for look in pair], 1)
    own = isinstance(getattr(represent, "__self__", None), Method)  # no bare encoder and no raw input
    parts = (Judged(z, None if s.labels is None else torch.from_numpy(s.labels)) for z, s in ((x, train), (y, test)))
    return judge(*parts, views=views, looks=looks, similarity=run.similarity if own else "cosine")


def _by_protocol(run: Run, represent: Represent, samples: GraphNodes | GraphCollection, seed: int) -> list[Any]:
    """What the field of graphs measures, on splits of its own."""
    (z,) = features(run, samples, represent, Plain(), 0)
    if isinstance(samples, GraphCollection):
        return [_in_folds(z, samples, seed)]
    declared = {name: marks[:, samples.rows] for name, marks in samples.protocols.items()}
    return node_classification(z, torch.from_numpy(samples.labels), declared, seed)


def _in_folds(z: Tensor, samples: GraphCollection, seed: int) -> Any:
    assert samples.labels is not None  # `evaluate` asked
    folds = None if samples.folds is None else samples.folds[:, samples.rows]
    return graph_classification(z, torch.from_numpy(samples.labels), folds, seed)


def _neighbourhoods(samples: GraphCollection) -> Tensor:
    """The baseline that learns nothing: how often neighbourhoods of up to ROUNDS steps occur in each graph."""
    graph, starts = samples.union.whole, samples.union.starts
    kinds, first = np.unique(graph.described, axis=0, return_inverse=True)
    if len(kinds) > len(graph) // 10:  # measured values: hardly two nodes would be alike
        first = np.zeros(len(graph), np.int64)
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    each = colours.refined(first.reshape(-1), graph.sources, graph.indices, ROUNDS)
    counted = [colours.counts(found, owner, len(starts) - 1, COLOURS) for found in each]
    return torch.from_numpy(np.concatenate(counted, 1)[samples.rows])


def _links(z: Tensor, held: Held, same: bool) -> list[Any]:
    """Whether edges that the source holds back are told from pairs without one; what another source showed is not known."""
    found = link_prediction(z, held.edges, held.absent)
    unknown = "the run was trained on another source, which may have shown it these edges"
    return found if same else [replace(n, protocol={**n.protocol, "notes": [unknown]}) for n in found]
