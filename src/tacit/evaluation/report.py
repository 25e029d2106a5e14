"""The report of a run: one HTML file that needs nothing else, neither network nor script."""

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from tacit.errors import TacitError
from tacit.evaluation import charts
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.examples import Crossing
from tacit.evaluation.gallery import Gallery, Strip, gallery, strip
from tacit.evaluation.intervals import subsample
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import Number
from tacit.evaluation.style import CSS
from tacit.evaluation.unlabelled.scores import Histograms

POINTS = 3000  # on the map
TITLES = {
    "knn": "kNN accuracy, online",
    "lr": "learning rate",
    "effective_rank": "effective rank",
    "samples_per_second": "samples per second",
    "overlap": "negatives above positives",
    "projected_rank": "effective rank of projections",
    "negatives": "negatives that the temperature looks at",
    "weights": "norm of all weights",
}
SCORES = [[f"{kind}_{part}" for part in ("low", "median", "high")] for kind in ("positive", "negative")]  # one chart of all
NOT_DRAWN = ("step", "epoch", "stage", "time", "usual_overlap", *SCORES[0], *SCORES[1])
FIRST = ("loss", "knn", "overlap", "effective_rank", "spread", "alignment", "uniformity", "lr")
SHORT = 2  # lines of a log, fewer than which are no history
NO_LABELS = (
    "These samples have no labels, so nothing here says how often the encoder is right; the numbers below need none, and the "
    "pictures are to be judged by eye."
)
UNDER = {  # one sentence under each heading, for who reads such a page for the first time
    "How good it is": "The encoder beside the same encoder before training and beside the plain input: what it learned is what "
    "it is better by.",
    "What to do next": "",
    "Nearest neighbours": "Each row begins with a framed sample; beside it the samples that the encoder finds most like it, "
    "with the cosine similarity. A tick marks the same label.",
    "Typical and unusual samples": "Typical samples have many that are like them; unusual ones stand alone: look there for "
    "what is damaged, mislabelled or rare.",
    "Clusters": "Groups that k-means finds in the embeddings without looking at labels.",
    "Map": "Each sample as a point, near to those that the encoder finds alike; labels stand at the middle of their samples.",
    "Similarity of views": "How alike two random views of one sample are (area), and views of different samples (outline), "
    "each chart on its own scale: the less they overlap, the better the encoder tells samples apart.",
    "Training": "What was logged while it trained.",
    "Spectrum": "How many directions the embeddings use: a line that falls steeply says few, one that stays high says many.",
    "What was trained": "The method, its data and its settings.",
    "How the numbers were measured": "All that is needed to measure them again.",
}
MAIN = ("knn", "linear", "few_shot_5", "map", "cluster_accuracy", "rankme", "spread", "score_overlap")
LINKS = ("mrr", "hits_at_1", "hits_at_10", "mean_rank", "hierarchy_map")  # others are folded
PROFILES = "Bars: the sample's numbers in the order of their columns, in standard deviations from each column's mean, cut at 3."
SCORED = (
    "Scores are cosines of two looks at one sample (blue) and of looks at two samples (orange): medians, and from 5 to 95 %. "
    "Negatives above positives: how often a look at another sample is nearer than a second look at the same."
)
OBSERVED = "kNN accuracy is among training samples, by labels that were looked at and not learned from."


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
    lead: str = "",
    history: Sequence[dict[str, Any]] = (),
    evaluation: Evaluation | None = None,
    spectrum: Tensor | None = None,
    map: Map | None = None,
    neighbours: Sequence[Strip] = (),
    examples: Sequence[Gallery] = (),
    crossing: tuple[Crossing, Sequence[str]] | None = None,
    clusters: Sequence[Gallery] = (),
    similarities: Mapping[str, Histograms] | None = None,
    advice: Sequence[str] = (),
) -> None:
    """Write the report; what is not given is left out. The file is written beside and renamed.

    facts         what was trained on what, as shown: {"method": "SimCLR", "data": "cifar10-15k", …}
    lead          the same in one sentence, for the top
    history       the lines of metrics.jsonl: every number but the position becomes a curve over epochs, per stage
    spectrum      singular values of the embeddings
    examples      typical samples, unusual ones, errors
    crossing      clusters by classes, and the classes' names by label
    clusters      some samples of each cluster, where there are no classes to cross them with
    similarities  of positive and negative pairs, by representation, the one in question first
    advice        sentences, the most useful first
    """
    parts = {
        "How good it is": _numbers(evaluation) if evaluation else "",
        "Nearest neighbours": "".join(strip(shown) for shown in neighbours) + _bars(neighbours),
        "Typical and unusual samples": "".join(gallery(shown) for shown in examples),
        "Clusters": (_crossing(*crossing) if crossing else "") + "".join(gallery(shown) for shown in clusters),
        "Map": _map(map) if map else "",
        "Similarity of views": _similarities(similarities, evaluation) if similarities else "",
        "Training": curves(history) if len(history) >= SHORT else "",
        "Spectrum": f'<div class="charts">{charts.spectrum(spectrum.tolist())}</div>' if spectrum is not None else "",
        "What was trained": _facts(facts) if facts else "",
        "How the numbers were measured": _protocols(evaluation) if evaluation else "",
    }
    parts = {"What to do next": _list(advice) if advice else "", **parts}
    body = "".join(_section(name, part) for name, part in parts.items() if part)
    top = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{top}{_verdict(evaluation) if evaluation else ''}{body}</main></body></html>\n"
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)


def _section(title: str, body: str) -> str:
    under = f'<p class="under">{UNDER[title]}</p>' if UNDER[title] else ""
    return f"<section><h2>{escape(title)}</h2>{under}{body}</section>"


def _list(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_unbroken(sentence)}</li>' for sentence in sentences)}</ul>"


def _unbroken(sentence: str) -> str:
    """Options of the command line are not broken at their hyphens."""
    return re.sub(r"--[a-z][a-z-]*", r'<span class="option">\g<0></span>', escape(sentence))


def _facts(facts: dict[str, Any]) -> str:
    items = "".join(f"<div><dt>{escape(str(name))}</dt><dd>{escape(_plain(value))}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{items}</dl>'


def _verdict(evaluation: Evaluation) -> str:
    labelled = any(MEANINGS[metric].needs_labels for metric in evaluation.metrics)
    said = evaluation.verdict or ([] if labelled else [NO_LABELS])
    return "".join(f'<p class="verdict">{escape(sentence)}</p>' for sentence in said)


def _numbers(evaluation: Evaluation) -> str:
    names = list(evaluation.representations)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = {}
    for metric in evaluation.metrics:
        meaning = MEANINGS[metric]
        hint = f'<span class="hint">{meaning.better} is better</span>' if meaning.better else ""
        cells = "".join(f'<td data-name="{escape(name)}">{_cell(evaluation.number(name, metric))}</td>' for name in names)
        rows[metric] = f'<tr><th scope="row">{escape(meaning.title)}{hint}</th>{cells}</tr>'
    notes = f'<div class="notes">{_list(evaluation.notes)}</div>' if evaluation.notes else ""
    top = f'<table class="numbers"><thead><tr><td></td>{head}</tr></thead><tbody>'
    main, further = [name for name in rows if name in MAIN + LINKS], [name for name in rows if name not in MAIN + LINKS]
    table = f"{top}{''.join(rows[name] for name in main or further)}</tbody></table>"
    if main and further:
        folded = f"{top}{''.join(rows[name] for name in further)}</tbody></table>"
        table += f"<details><summary>{len(further)} further numbers</summary>{folded}</details>"
    return f'{table}<p class="hint">In brackets: 95 % intervals.</p>{notes}'


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


def curves(history: Sequence[dict[str, Any]]) -> str:
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
        drawn[2:2] = _scores(at, lines, unit)
        heading = f"<h3>Stage {int(stage) + 1} of {len(stages)}</h3>" if len(stages) > 1 else ""
        blocks.append(f'{heading}<div class="charts">{"".join(drawn)}</div>')
    said = [SCORED] * any(_is_number(line.get(SCORES[0][1])) for line in history) + [OBSERVED] * any(
        "knn" in line for line in history
    )
    return "".join(blocks) + "".join(f'<p class="hint">{sentence}</p>' for sentence in said)


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


def _scores(at: list[float], lines: list[dict[str, Any]], unit: str) -> list[str]:
    """The scores of positives and of negatives over training, where they were looked at."""
    seen = [(x, line) for x, line in zip(at, lines) if _is_number(line.get(SCORES[0][1]))]
    if len(seen) < SHORT:
        return []
    positives, negatives = (np.array([[line[name] for _, line in seen] for name in names]) for names in SCORES)
    title = "scores of positives and of negatives"
    return [charts.bands(title, [x for x, _ in seen], positives, negatives, unit, (0.0, max(at)))]


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


def _bars(neighbours: Sequence[Strip]) -> str:
    """What the profiles of rows of numbers show, where there are any."""
    return f'<p class="hint">{PROFILES}</p>' if any(len(shown.query.values) for shown in neighbours) else ""


def _crossing(found: Crossing, names: Sequence[str]) -> str:
    """Clusters by classes as a table whose cells are coloured by their share of the row."""
    titles = [str(names[label]) for label in found.classes]
    totals = found.counts.sum(1) + found.others
    head = "".join(_column(name) for name in [*titles, *(["others"] if found.others.any() else []), "samples"])
    rows = []
    for i, (name, total) in enumerate(zip(titles, totals)):
        cells = [*found.counts[i], *([found.others[i]] if found.others.any() else [])]
        drawn = "".join(_share(int(count), int(total), own=j == i) for j, count in enumerate(cells))
        label = f'<th scope="row" title="{escape(name)}">{escape(_cut(name))}</th>'
        rows.append(f"<tr>{label}{drawn}<td>{int(total)}</td></tr>")
    said = [f"{100 * found.accuracy:.1f} % of the samples lie in the cluster that is matched to their class."]
    off = found.counts - np.diag(np.diag(found.counts))
    if off.any():
        row, column = np.unravel_index(off.argmax(), off.shape)
        said.append(
            f"Most mixed: {off[row, column]} samples of class {titles[column]} lie in the cluster of class {titles[row]}."
        )
    if found.left_out:
        said.append(f"{found.left_out} clusters, the smallest or without a class of their own, are left out.")
    how = "Rows: clusters, each under the class it is matched to. Columns: true classes. Stronger colour: more of the row."
    table = (
        '<div class="scroll"><table class="heat" aria-label="samples of each class in each cluster">'
        f"<thead><tr><td>cluster</td>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    return f'<p>{escape(" ".join(said))}</p>{table}<p class="hint">{how}</p>'


def _column(name: str) -> str:
    """A column's name, upright where it is wider than a cell."""
    tall = ' class="tall"' if len(name) > 3 else ""
    return f'<th scope="col" title="{escape(name)}"><span{tall}>{escape(_cut(name))}</span></th>'


def _share(count: int, total: int, own: bool) -> str:
    kind = ' class="own"' if own else ""
    return f'<td{kind} style="--share:{100 * count / max(total, 1):.0f}%">{count or "·"}</td>'


def _similarities(similarities: Mapping[str, Histograms], evaluation: Evaluation | None) -> str:
    """One chart per representation, and how often a negative lies above a positive where that was measured."""
    drawn, said = [], []
    for name, found in similarities.items():
        drawn.append(charts.distributions(name, found.edges, found.positives, found.negatives, "cosine similarity"))
        overlap = evaluation.number(name, "score_overlap") if evaluation and name in evaluation.representations else None
        if overlap is not None and math.isfinite(overlap.value):
            said.append(f"{overlap.shown().partition(' (')[0]} with {name}")
    key = (
        '<ul class="legend"><li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="area" y="2" width="12" height="10"/>'
        '</svg>two views of one sample</li><li><svg viewBox="0 0 12 12" aria-hidden="true"><path class="outline" '
        'd="M0 11V4H12V11"/></svg>views of two samples</li></ul>'
    )
    overlaps = (
        f"<p>Two different samples look more alike than two views of one in this share of cases: {escape(', '.join(said))}.</p>"
        if said
        else ""
    )
    return f'{overlaps}<div class="charts">{"".join(drawn)}</div>{key}'


def _cut(name: str, longest: int = 16) -> str:
    """At most so many characters of a name; its end stays, since often only the ends of names differ."""
    return name if len(name) <= longest else f"{name[: longest // 2]}…{name[1 - longest // 2 :]}"


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
