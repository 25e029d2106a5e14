"""`tacit evaluate`: how good a run is, beside raw input and the untrained encoder, and the report."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.data.checking import verify
from tacit.data.samples import Corrupt, Samples
from tacit.data.splitting import splits
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.maps import pca_map
from tacit.evaluation.panel import Judged, judge
from tacit.evaluation.report import Map, Shown, Strip, write_report
from tacit.material import hash_of_ids
from tacit.method import Method
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.numerics.spectra import singular_values
from tacit.representing import Represent, features, representations
from tacit.run import Run
from tacit.training.checkpoint import write_text
from tacit.views.kinds import Pair, Plain

STRIPS, NEIGHBOURS = 6, 8  # queries that the report shows, and the neighbours of each
LOOKED_AT, LOOKS = 1000, 6  # samples of which LiDAR sees several looks, and how many
QUERIED = 5000  # samples among which the report's neighbours are sought


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
    opened, corrupt = verify(run.open(data, kind))
    train, test, how = splits(opened, seed=seed)
    if _trained_on(run, opened):
        how += "; all of them were seen, without labels, in pretraining"
    numbers = {name: _judged(run, represent, train, test, seed) for name, represent in representations(run).items()}
    protocol = {"data": str(opened.source), "split": how, "seed": seed, "encoder": run.config.encoder, "corrupt": len(corrupt)}
    evaluation = Evaluation({name: [_told(n, protocol) for n in found] for name, found in numbers.items()})
    pages = Path(report) if report is not None else run.path / "report.html"
    tell(run, train, test, pages, evaluation, corrupt)
    write_text(run.path / "evaluation.json", json.dumps(evaluation.as_dict(), indent=1))
    return evaluation


def _trained_on(run: Run, samples: Samples) -> bool:
    """Whether these are the very files or rows that the run was trained on; of what has no address nothing is known."""
    source = Path(samples.source)
    same = source.exists() and source.resolve() == Path(run.config.data["source"]).resolve()
    return same and hash_of_ids(samples) == run.config.data["ids"]["main"]


def tell(run: Run, train: Samples, test: Samples, path: Path, evaluation: Evaluation, corrupt: Sequence[Corrupt] = ()) -> None:
    """Write the report of a run: what was trained on what, how it went, what it sees in these samples."""
    represent = next(iter(representations(run).values()))
    shown = _some(test, QUERIED)
    (z,) = features(run, shown, represent, Plain(), 0)
    config, facts = run.config, run.facts
    write_report(
        path,
        title=f"{run.cls.__name__} on {Path(config.data['source']).name}",
        facts={
            "method": f"{run.cls.__name__}, {run.cls.paper.title} ({run.cls.paper.year})",
            "trained on": f"{config.data['source']}, {facts.n:,} samples ({config.data['split']})",
            "labels used": config.labels_used,
            "labels observed, not learned from": config.labels_observed,
            "left out as corrupt": len(config.data["corrupt"]),
            "encoder": f"{config.encoder or 'none'}, {z.shape[1]} dimensions",
            "recipe": f"{config.recipe_name} {config.recipe or ''}".strip(),
            "seed": config.seed,
            "machine": f"{config.device}, {config.precision}",
            "shown here": f"{len(shown):,} samples of {test.source}",
            "Tacit": config.tacit,
        },
        history=history(run.path),
        evaluation=evaluation,
        spectrum=singular_values(z),
        map=Map(pca_map(z), _labels(shown), list(shown.ids)) if len(z) > 2 else None,
        neighbours=_strips(shown, z) if shown.kind == "image" and len(z) > NEIGHBOURS else (),
        advice=[*advice(evaluation), *(f"Left out: {sample.id}, {sample.why}" for sample in list(corrupt)[:10])],
    )


def history(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; a last one that is not whole is left out."""
    file = folder / "metrics.jsonl"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def advice(evaluation: Evaluation) -> list[str]:
    """What to try next, from the numbers."""
    said = []
    if evaluation.number("this encoder", "knn") is None:
        said.append("These samples have no labels; a few in class folders would say more: tacit evaluate RUN FOLDER.")
    mine, raw = (evaluation.number(name, "knn") for name in ("this encoder", "raw input"))
    if mine is not None and raw is not None and not math.isnan(mine.value) and mine.value < raw.value:
        said.append(
            "Neighbours are worse than those of raw input: train longer (--epochs), and look at the views (tacit preview)."
        )
    spread = evaluation.number("this encoder", "spread")
    if spread is not None and spread.value < 0.1:
        said.append("The representation has collapsed: lower --lr, raise --batch, or take a method with negatives.")
    return said


def _judged(run: Run, represent: Represent, train: Samples, test: Samples, seed: int) -> list[Any]:
    (x,), (y,) = (features(run, part, represent, Plain(), 0) for part in (train, test))
    views, looks = None, None
    if Pair in run.views.kinds:
        first, second = features(run, test, represent, Pair(), counter.key(seed, "judge"))
        views, some = (first, second), _some(test, LOOKED_AT)
        pairs = (features(run, some, represent, Pair(), counter.key(seed, "looks", i)) for i in range(LOOKS // 2))
        looks = torch.stack([look for pair in pairs for look in pair], 1)
    own = isinstance(getattr(represent, "__self__", None), Method)  # no bare encoder and no raw input
    parts = (Judged(z, None if s.labels is None else torch.from_numpy(s.labels)) for z, s in ((x, train), (y, test)))
    return judge(*parts, views=views, looks=looks, similarity=run.similarity if own else "cosine")


def _told(number: Any, protocol: dict[str, Any]) -> Any:
    return replace(number, protocol={**number.protocol, **protocol})


def _some(samples: Samples, most: int) -> Samples:
    if len(samples) <= most:
        return samples
    return samples.take(np.sort(counter.permutation(counter.key("report"), len(samples))[:most]))


def _labels(samples: Samples) -> list[str]:
    if samples.labels is None:
        return [""] * len(samples)
    return [samples.classes[label] if label >= 0 else "" for label in samples.labels]


def _strips(samples: Samples, z: Tensor) -> list[Strip]:
    """Some samples and their nearest neighbours, with pictures."""
    from tacit.embeddings.sheet import thumbnail

    labels, z = _labels(samples), unit(z)
    queries = np.sort(counter.permutation(counter.key("strips"), len(samples))[:STRIPS])
    scores, nearest = (z[queries] @ z.T).topk(NEIGHBOURS + 1)
    wanted = np.unique(np.concatenate([queries, nearest.flatten().numpy()]))
    content, _ = samples.read(wanted)
    pictures = {
        int(p): thumbnail(image[:h, :w].numpy()) for p, image, (h, w) in zip(wanted, content.pixels, content.sizes.tolist())
    }

    def shown(position: int, score: float = math.nan) -> Shown:
        return Shown(samples.ids[position], pictures[position], labels[position], score)

    strips = []
    for query, row, found in zip(queries.tolist(), nearest.tolist(), scores.tolist()):
        hits = [shown(position, score) for position, score in zip(row, found) if position != query]
        strips.append(Strip(shown(query), hits[:NEIGHBOURS]))
    return strips
