"""The report of a run: which samples it shows and what it says of them."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.data.captioned.captions import Captions
from tacit.data.pairs import Pairs
from tacit.data.samples import Corrupt, Samples, Vectors
from tacit.data.tabular.rows import Cells
from tacit.data.text.samples import TextSamples
from tacit.data.vectors import statistics
from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.examples import NEAREST, Crossing, clusters, crossing, surest_errors, typicality
from tacit.evaluation.gallery import Gallery, Shown, Strip
from tacit.evaluation.maps import pca_map
from tacit.evaluation.report import Map, write_report
from tacit.evaluation.unlabelled.scores import Histograms, score_histograms
from tacit.material import hash_of_ids
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.spectra import singular_values
from tacit.numerics.topk import nearest
from tacit.picturing import thumbnails
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Pair, Plain
from tacit.views.table import TableViews

STRIPS, NEIGHBOURS = 6, 8  # queries that the report shows, and the neighbours of each
LOOKED_AT = 5000  # samples that the report is about, at most
SCORED = 500  # samples whose views are compared
EXAMPLES = 12  # samples of a kind: typical, unusual, wrong
CLUSTERS, CENTRAL = 8, 8  # clusters where there are no classes, and the samples shown of each
FEWEST = NEAREST + 2  # samples that have enough neighbours to choose among


class Cast:
    """The samples that a report shows, with their embeddings, labels and pictures."""

    def __init__(self, samples: Samples, z: Tensor):
        self.samples, self.z = samples, z
        self.labels = _labels(samples)

    def seen(self, positions: Sequence[int], scores: Sequence[float] = (), notes: Sequence[str] = ()) -> list[Shown]:
        """Samples as they are shown, each with a picture of what can be seen of it, a score and a note where given."""
        looks, own = _looks(self.samples, positions), self.samples
        beside = own.second if isinstance(own, Pairs) else None
        captions = dict(zip(positions, beside.said(positions))) if isinstance(beside, TextSamples | Captions) else {}
        texts = dict(zip(positions, own.said(positions))) if isinstance(own, TextSamples) else {}
        found = []
        for i, position in enumerate(positions):
            image, values = looks.get(position, (b"", ()))
            score = scores[i] if len(scores) else math.nan
            note = notes[i] if len(notes) else captions.get(position, "")
            text = texts.get(position, "")
            found.append(Shown(self.samples.ids[position], image, self.labels[position], score, values, note, text))
        return found


def tell(
    run: Run,
    test: Samples,
    path: Path,
    evaluation: Evaluation,
    corrupt: Sequence[Corrupt] = (),
    *,
    judged: str = "",
    advised: Sequence[str] | None = None,
) -> None:
    """Write the report of a run: how good it is, what it sees in these samples, what was trained on what, how it went.

    judged   what it was judged on, where that is not the samples shown
    advised  what to try next, where that does not follow from kNN
    """
    represent = next(iter(representations(run).values()))
    shown = some(test, LOOKED_AT)
    (z,) = features(run, shown, represent, Plain(), 0)
    cast = Cast(shown, z)
    enough = len(z) >= FEWEST and bool(z.isfinite().all())
    config, facts = run.config, run.facts
    by_class = _crossing(cast) if enough else None
    data, name = Path(config.data["source"]).name, run.cls.__name__
    labels = "with labels" if config.labels_used else "without labels"
    write_report(
        path,
        title=f"{name} on {data}",
        lead=f"{name} ({run.cls.paper.year}) learned from {facts.n:,} samples of {data} {labels}; "
        f"it is judged on {judged or f'{len(test):,} samples of {Path(test.source).name}'}.",
        facts={
            "method": f"{name}, {run.cls.paper.title} ({run.cls.paper.year})",
            "trained on": f"{config.data['source']}, {facts.n:,} samples ({config.data['split']})",
            "labels used": config.labels_used,
            "labels observed, not learned from": config.labels_observed,
            "left out as corrupt": len(config.data["corrupt"]),
            "encoder": f"{config.encoder or 'none'}, {z.shape[1]} dimensions",
            "recipe": [config.recipe_name, config.recipe] if config.recipe else config.recipe_name,
            "seed": config.seed,
            "machine": f"{config.device}, {config.precision}",
            "shown here": f"{len(shown):,} samples of {test.source}",
            "Tacit": config.tacit,
        },
        history=history(run.path),
        evaluation=evaluation,
        spectrum=singular_values(z),
        map=Map(pca_map(z), cast.labels, list(shown.ids)) if len(z) > 2 else None,
        neighbours=_strips(cast) if enough else (),
        examples=_examples(cast) if enough else (),
        crossing=by_class,
        clusters=_groups(cast) if enough and by_class is None else (),
        similarities=_similarities(run, test),
        advice=[
            *(advice(evaluation) if advised is None else advised),
            *(f"Left out: {sample.id}, {sample.why}" for sample in list(corrupt)[:10]),
        ],
    )


def trained_on(run: Run, samples: Samples) -> bool:
    """Whether these are the very files or rows that the run was trained on; of what has no address nothing is known."""
    source = Path(samples.source)
    same = source.exists() and source.resolve() == Path(run.config.data["source"]).resolve()
    return same and hash_of_ids(samples) == run.config.data["ids"]["main"]


def history(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; a last one that is not whole is left out."""
    file = folder / "metrics.jsonl"
    try:
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        told = [json.loads(line) for line in lines if line.endswith("\n")]
    except ValueError as error:  # no text, or no JSON
        raise TacitError(f"{file} is no log of a training ({error}); restore it, or take it away.") from error
    if not all(isinstance(line, dict) for line in told):
        raise TacitError(f"{file} is no log of a training: a line of it holds no numbers by name; restore it, or take it away.")
    return told


def advice(evaluation: Evaluation) -> list[str]:
    """What to try next, from the numbers."""
    said = []
    if evaluation.number("this encoder", "knn") is None:
        said.append("These samples have no labels; a few in class folders would say more: tacit evaluate RUN FOLDER.")
    mine, raw = (evaluation.number(name, "knn") for name in ("this encoder", "raw input"))
    if mine is not None and raw is not None and not math.isnan(mine.value):
        if mine.high < raw.low:
            said.append(
                "Neighbours are worse than those of raw input: train longer (--epochs), and look at the views (tacit preview)."
            )
        elif mine.low > raw.high:
            said.append("Neighbours are better than those of raw input: search with them (tacit embed, then tacit search).")
        else:
            said.append(
                "Neighbours are neither clearly better nor worse than those of raw input: train longer (--epochs), look at the "
                "views (tacit preview), or judge on more samples with labels."
            )
    spread = evaluation.number("this encoder", "spread")
    if spread is not None and spread.value < 0.1:
        said.append("The representation has collapsed: lower --lr, raise --batch, or take a method with negatives.")
    return said


def some(samples: Samples, most: int) -> Samples:
    """At most so many of them, drawn by counter, in their order."""
    if len(samples) <= most:
        return samples
    return samples.take(np.sort(counter.permutation(counter.key("report"), len(samples))[:most]))


def _labels(samples: Samples) -> list[str]:
    if samples.labels is None:
        return [""] * len(samples)
    return [samples.classes[label] if label >= 0 else "" for label in samples.labels]


def _strips(cast: Cast) -> list[Strip]:
    """Some samples and their nearest neighbours."""
    queries = np.sort(counter.permutation(counter.key("strips"), len(cast.samples))[:STRIPS])
    z = unit(cast.z)
    scores, found = nearest(z[queries], z, NEIGHBOURS + 1)
    strips = []
    for query, row, near in zip(queries.tolist(), found.tolist(), scores.tolist()):
        others = [(position, score) for position, score in zip(row, near) if position != query][:NEIGHBOURS]
        positions, similar = zip(*others)
        strips.append(Strip(cast.seen([query])[0], cast.seen(positions, similar)))
    return strips


def _examples(cast: Cast) -> list[Gallery]:
    """The most and the least typical samples, and those that their neighbours contradict."""
    density = typicality(cast.z)
    order = density.argsort(descending=True, stable=True).tolist()
    most, least = order[:EXAMPLES], order[::-1][:EXAMPLES]
    found = [
        Gallery(
            "Most typical", f"Highest mean similarity to their {NEAREST} nearest neighbours.", _scored(cast, most, density)
        ),
        Gallery("Least typical", "Lowest mean similarity to them.", _scored(cast, least, density)),
    ]
    known = _known(cast.samples)
    if len(known) >= FEWEST:
        assert cast.samples.labels is not None  # or none were known
        labels = torch.from_numpy(cast.samples.labels[known])
        wrong = surest_errors(cast.z[known], labels)
        unanimous = int((wrong.votes == NEAREST).sum())
        names = [cast.samples.classes[label] for label in wrong.voted[:EXAMPLES].tolist()]
        notes = [f"{votes} of {NEAREST}: {name}" for name, votes in zip(names, wrong.votes.tolist())]
        about = (
            f"Of {len(known):,} samples with a label, {len(wrong.positions):,} are outvoted by their {NEAREST} nearest "
            f"neighbours here, {unanimous:,} by all of them. Under each its own label, then what its neighbours say."
        )
        if len(wrong.positions):
            surest = cast.seen(known[wrong.positions[:EXAMPLES].numpy()].tolist(), notes=notes)
            found.append(Gallery("Wrong with the most confidence", about, surest))
    return found


def _scored(cast: Cast, positions: list[int], scores: Tensor) -> list[Shown]:
    return cast.seen(positions, scores[positions].tolist())


def _known(samples: Samples) -> np.ndarray:
    """The positions of the samples that have a label."""
    return np.flatnonzero(samples.labels >= 0) if samples.labels is not None else np.arange(0)


def _crossing(cast: Cast) -> tuple[Crossing, Sequence[str]] | None:
    """Clusters by classes and the classes' names, where there are at least two classes with two samples each on average."""
    known = _known(cast.samples)
    if len(known) < FEWEST:
        return None
    assert cast.samples.labels is not None  # or none were known
    labels = torch.from_numpy(cast.samples.labels[known])
    classes = len(labels.unique())
    if not 2 <= classes <= len(known) // 2:
        return None
    return crossing(clusters(cast.z[known], classes).of, labels), cast.samples.classes


def _groups(cast: Cast) -> list[Gallery]:
    """The clusters, largest first, each with the samples nearest to its middle."""
    of, distance = clusters(cast.z, min(CLUSTERS, len(cast.z) // 4))
    groups: list[Gallery] = []
    sizes = torch.bincount(of)
    for number in sizes.argsort(descending=True, stable=True).tolist():
        members = (of == number).nonzero().flatten()
        if not len(members):
            continue
        central = members[distance[members].argsort(stable=True)][:CENTRAL].tolist()
        share = f"{len(members):,} samples, {100 * len(members) / len(of):.0f} %; the most central ones."
        groups.append(Gallery(f"Cluster {len(groups) + 1}", share, cast.seen(central)))
    return groups


def _similarities(run: Run, test: Samples) -> dict[str, Histograms] | None:
    """Cosines of two random views of a sample and of different samples, by representation; nothing where there are no pairs."""
    if Pair not in run.views.kinds or len(test) < 2:
        return None
    drawn, key = some(test, SCORED), counter.key("report", "views")
    found = {}
    for name, represent in representations(run).items():
        first, second = features(run, drawn, represent, Pair(), key)
        if first.isfinite().all() and second.isfinite().all():
            found[name] = score_histograms(first, second)
    return found


def _looks(samples: Samples, positions: Sequence[int]) -> dict[int, tuple[bytes, Sequence[float]]]:
    """What can be seen of each sample: a small picture, or its numbers; of a pair its first part; nothing of other kinds."""
    if isinstance(samples, Pairs):
        return _looks(samples.first, positions)
    wanted = np.unique(np.asarray(positions, np.int64))
    content, bad = samples.read(wanted)
    good = [position for position in wanted.tolist() if position not in bad]
    if drawn := thumbnails(samples, content):
        return {position: (picture, ()) for position, picture in zip(good, drawn)}
    if isinstance(content, Cells):
        rows = TableViews.fit(samples.facts() | samples.statistics()).look(content, wanted, 0, "plain")[0].tolist()
        return {position: (b"", row) for position, row in zip(good, rows)}
    if isinstance(content, Vectors):
        columns = statistics(samples)
        std = np.array(columns["std"])
        scaled = (content.values.numpy() - columns["mean"]) / np.where(std > 0, std, 1.0)
        return {position: (b"", row.tolist()) for position, row in zip(good, scaled)}
    return {}
