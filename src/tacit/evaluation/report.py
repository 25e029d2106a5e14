"""The report of a run: one HTML file that needs nothing else, neither network nor script."""

import base64
import math
import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation import charts
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.intervals import subsample
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import Number
from tacit.evaluation.style import CSS

POINTS = 3000  # on the map
TITLES = {
    "knn": "kNN accuracy, online",
    "lr": "learning rate",
    "effective_rank": "effective rank",
    "samples_per_second": "samples per second",
}
NOT_DRAWN = ("step", "epoch", "stage", "time")
FIRST = ("loss", "knn", "effective_rank", "spread", "alignment", "uniformity", "lr")
SHORT = 2  # lines of a log, fewer than which are no history
OBSERVED = "kNN accuracy is among training samples, by labels that were looked at and not learned from."


class Shown(NamedTuple):
    """A sample as the report shows it."""

    id: str
    image: bytes = b""  # PNG, JPEG or WebP; empty where there is nothing to see
    label: str = ""
    score: float = math.nan  # similarity to the query


class Strip(NamedTuple):
    """A sample and its nearest neighbours, best first."""

    query: Shown
    hits: Sequence[Shown]


class Map(NamedTuple):
    """Samples in two dimensions."""

    points: Tensor  # n × 2
    labels: Sequence[str]  # "" where there is none
    ids: Sequence[str]
    made_by: str = "the first two principal components of the embeddings' directions"


def write_report(
    path: Path,
    *,
    title: str,
    facts: dict[str, Any],
    history: Sequence[dict[str, Any]] = (),
    evaluation: Evaluation | None = None,
    spectrum: Tensor | None = None,
    map: Map | None = None,
    neighbours: Sequence[Strip] = (),
    advice: Sequence[str] = (),
) -> None:
    """Write the report; what is not given is left out. The file is written beside and renamed.

    facts      what was trained on what, as shown: {"method": "SimCLR", "data": "cifar10-15k", …}
    history    the lines of metrics.jsonl: every number but the position becomes a curve over epochs, per stage
    spectrum   singular values of the embeddings
    advice     sentences, the most useful first
    """
    sections = [
        _facts(facts),
        _section("How good it is", _evaluation(evaluation)) if evaluation else "",
        _section("What to do next", _list(advice)) if advice else "",
        _section("Nearest neighbours", "".join(_strip(strip) for strip in neighbours)) if neighbours else "",
        _section("Map", _map(map)) if map else "",
        _section("Training", _curves(history)) if len(history) >= SHORT else "",
        _section("Spectrum", f'<div class="charts">{charts.spectrum(spectrum.tolist())}</div>') if spectrum is not None else "",
        _section("How the numbers were measured", _protocols(evaluation)) if evaluation else "",
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(sections)}</main></body></html>\n"
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _list(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>"


def _facts(facts: dict[str, Any]) -> str:
    items = "".join(f"<div><dt>{escape(str(name))}</dt><dd>{escape(_plain(value))}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{items}</dl>'


def _evaluation(evaluation: Evaluation) -> str:
    names = list(evaluation.representations)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for metric in evaluation.metrics:
        meaning = MEANINGS[metric]
        hint = f'<span class="hint">{meaning.better} is better</span>' if meaning.better else ""
        cells = "".join(f'<td data-name="{escape(name)}">{_cell(evaluation.number(name, metric))}</td>' for name in names)
        rows.append(f'<tr><th scope="row">{escape(meaning.title)}{hint}</th>{cells}</tr>')
    verdict = "".join(f'<p class="verdict">{escape(sentence)}</p>' for sentence in evaluation.verdict)
    notes = f'<div class="notes">{_list(evaluation.notes)}</div>' if evaluation.notes else ""
    table = f'<table class="numbers"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'{verdict}{table}<p class="hint">In brackets: 95 % intervals.</p>{notes}'


def _cell(number: Number | None) -> str:
    if number is None:
        return '<span class="hint">not measured</span>'
    if math.isnan(number.value):
        return f'<span title="{escape(number.why)}">–</span>'
    value, _, bracket = number.shown().partition(" (")
    interval = f' <span class="hint">({escape(bracket)}</span>' if bracket else ""
    bar = charts.interval(number.value, number.low, number.high) if MEANINGS[number.name].percent else ""
    return f"<b>{escape(value)}</b>{interval}{bar}"


def _protocols(evaluation: Evaluation) -> str:
    blocks = []
    for metric in evaluation.metrics:
        found = {name: evaluation.number(name, metric) for name in evaluation.representations}
        measured = {name: number.protocol for name, number in found.items() if number and number.protocol}
        keys = list(dict.fromkeys(key for protocol in measured.values() for key in protocol if key != "notes"))
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in measured)
        rows = []
        for key in keys:
            values = [_plain(protocol.get(key, "")) for protocol in measured.values()]
            cells = "".join(f"<td>{escape(value)}</td>" for value in values)
            if len(set(values)) == 1:
                cells = f'<td colspan="{len(values)}">{escape(values[0])}</td>'
            rows.append(f'<tr><th scope="row">{escape(key.replace("_", " "))}</th>{cells}</tr>')
        table = f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        if rows:
            title = escape(MEANINGS[metric].title)
            blocks.append(f'<details><summary>{title}</summary><div class="scroll">{table}</div></details>')
    return "".join(blocks)


def _curves(history: Sequence[dict[str, Any]]) -> str:
    """One chart per number and stage; those everyone looks at first stand first."""
    stages: dict[Any, list[dict[str, Any]]] = {}
    for line in history:
        stages.setdefault(line.get("stage", 0), []).append(line)
    blocks = []
    for stage, lines in stages.items():
        found = list(dict.fromkeys(key for line in lines for key in line if _is_number(line[key]) and key not in NOT_DRAWN))
        order = sorted(found, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))
        at, unit = _places(lines)
        drawn = [_curve(key, at, lines, unit) for key in order]
        heading = f"<h3>Stage {int(stage) + 1} of {len(stages)}</h3>" if len(stages) > 1 else ""
        blocks.append(f'{heading}<div class="charts">{"".join(drawn)}</div>')
    hint = f'<p class="hint">{OBSERVED}</p>' if any("knn" in line for line in history) else ""
    return "".join(blocks) + hint


def _places(lines: list[dict[str, Any]]) -> tuple[list[float], str]:
    """Where each line of a stage stands, in epochs that have passed; in steps where the log says no epochs.

    A line tells the epoch it lies in and the steps so far; the longest epoch that fits all lines gives the fraction.
    """
    steps = [float(line.get("step", i)) for i, line in enumerate(lines)]
    if not all("epoch" in line for line in lines):
        return steps, "step"
    epochs = [line["epoch"] for line in lines]
    length = max(step / (epoch + 1) for step, epoch in zip(steps, epochs)) or 1.0
    return [min(max(step / length, epoch), epoch + 1) for step, epoch in zip(steps, epochs)], "epoch"


def _curve(key: str, at: list[float], lines: list[dict[str, Any]], unit: str) -> str:
    told = [(x, line[key]) for x, line in zip(at, lines) if _is_number(line.get(key))]
    x, y = [x for x, _ in told], [value for _, value in told]
    return charts.curve(TITLES.get(key, key.replace("_", " ")), x, y, unit, (0.0, max(at)))


def _map(map: Map) -> str:
    points = map.points.detach().float().cpu().numpy()
    if not len(points) == len(map.labels) == len(map.ids):
        raise TacitError(
            f"The map has {len(points)} points, {len(map.labels)} labels and {len(map.ids)} ids; give one of each per sample."
        )
    rows = subsample(len(points), POINTS, "map")
    drawn = charts.scatter(points[rows], [str(map.labels[i]) for i in rows], [str(map.ids[i]) for i in rows])
    said = f"{len(rows)} of {len(points)} samples" if len(rows) < len(points) else f"{len(points)} samples"
    return f'<p class="hint">{said}; made by {escape(map.made_by)}.</p><div class="map">{drawn}</div>'


def _strip(strip: Strip) -> str:
    hits = "".join(_thumb(hit, "hit", same=bool(hit.label) and hit.label == strip.query.label) for hit in strip.hits)
    return f'<div class="strip">{_thumb(strip.query, "query", same=False)}<div class="hits">{hits}</div></div>'


def _thumb(sample: Shown, kind: str, same: bool) -> str:
    alt, words = escape(sample.id), []
    if sample.image:
        content = base64.b64encode(sample.image).decode()
        picture = f'<img src="data:{_media_type(sample.image)};base64,{content}" alt="{alt}">'
    else:
        picture = f'<span class="unseen">{alt}</span>'
    if sample.label:
        words.append(f'<span class="{"same" if same else "word"}">{escape(sample.label)}{" ✓" if same else ""}</span>')
    if math.isfinite(sample.score):
        words.append(f'<span class="score">{sample.score:.2f}</span>')
    return f'<figure class="{kind}" title="{alt}">{picture}<figcaption>{" ".join(words)}</figcaption></figure>'


def _media_type(image: bytes) -> str:
    for start, name in ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp")):
        if image.startswith(start):
            return name
    raise TacitError("A thumbnail is neither PNG nor JPEG nor WebP; encode it as one of them.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}".replace("-", "−")
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value)
    return str(value)
