"""The pages of two studies, from their stored rows: choosing without labels, and planted faults."""

import json
import runpy
from collections.abc import Mapping
from html import escape
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from tacit.evaluation.choosing import CHOOSING, mean_rank
from tacit.evaluation.meanings import MEANINGS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
AT_MOST, WITHIN = 4, 2.0  # numbers together; points of linear accuracy below the best run
WIDTH, HEIGHT, EDGE = 640, 360, 48  # of a picture, in pixels

Row = Mapping[str, Any]


def rows_of(study: str) -> dict[str, list[Row]]:
    """The rows of a study by set, the set on which something was chosen first."""
    files = sorted(RESULTS.glob(f"{study}-*.json"))
    return {file.stem.removeprefix(f"{study}-"): json.loads(file.read_text()) for file in files}


def free(rows: list[Row]) -> dict[str, np.ndarray]:
    """The label-free numbers of all runs; NaN where one could not be measured."""
    names = rows[0]["free"]
    return {name: np.array([np.nan if r["free"][name] is None else r["free"][name] for r in rows]) for name in names}


def judged(rows: list[Row], metrics: tuple[str, ...]) -> tuple[float, float, str]:
    """Spearman's correlation of the mean rank with linear accuracy, the points lost by its choice, and that choice."""
    values, linear = free(rows), np.array([r["linear"] for r in rows])
    standing = mean_rank({name: values[name] for name in metrics})
    first = int(standing.argmax())
    return float(spearmanr(standing, linear)[0]), float(linear.max() - linear[first]), rows[first]["run"]


def best_set(rows: list[Row]) -> tuple[str, ...]:
    """The at most four numbers whose mean rank correlates best with linear accuracy."""
    every = [chosen for k in range(1, AT_MOST + 1) for chosen in combinations(free(rows), k)]
    return max(every, key=lambda chosen: np.nan_to_num(judged(rows, chosen)[0], nan=-1.0))


def choosing_page() -> str:
    """What label-free numbers say of linear accuracy."""
    sets = rows_of("choosing")
    docstring = runpy.run_path(str(ROOT / "benchmarks" / "choosing.py"))["__doc__"].split("\n\n", 2)[2].strip()
    by_combination = [(f"`tacit compare`: {', '.join(CHOOSING)}", tuple(CHOOSING))]
    by_combination += [(MEANINGS[name].title, (name,)) for name in free(next(iter(sets.values())))]
    lines = [f"| | {' | '.join(sets)} |", "|---" * (len(sets) + 1) + "|"]
    for title, metrics in by_combination:
        cells = [f"{rho:+.2f}, {lost:.1f} lost" for rho, lost, _ in (judged(rows, metrics) for rows in sets.values())]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    parts = ["# Choosing without labels", "Written by `python docs/generate.py` from the rows of `benchmarks/choosing.py`."]
    parts += [docstring, "## What was found", "\n".join(f"- {sentence}" for sentence in _verdicts(sets))]
    parts += [FOUND, "\n".join(lines)]
    for name, rows in sets.items():
        seconds = sum(r["seconds"] for r in rows) / 60
        parts += [
            f"## {name}",
            f"![mean rank by linear accuracy](pictures/choosing-{name}.svg)",
            f"{len(rows)} runs, `{rows[0]['command']}`, {seconds:.0f} minutes, {rows[0]['machine']}, commits "
            f"{', '.join(sorted({r['commit'] for r in rows}))}.",
            "\n".join(
                ["| run | linear accuracy |", "|---|---|"] + [f"| {r['run']} | {r['linear']:.1f} |" for r in _sorted(rows)]
            ),
        ]
    return "\n\n".join(parts) + "\n"


FOUND = (
    "Spearman's rank correlation with linear accuracy over all runs of a set, and by how many points of linear accuracy the "
    "run that is ranked first lies below the best. A run's linear accuracy is itself known to about 2 points."
)


def _verdicts(sets: dict[str, list[Row]]) -> list[str]:
    first = next(iter(sets))
    best, said = best_set(sets[first]), []
    for title, metrics in (
        (f"The rule's choice ({', '.join(best)})", best),
        ("What `tacit compare` ranks by", tuple(CHOOSING)),
    ):
        for name, rows in sets.items():
            rho, lost, chosen = judged(rows, metrics)
            met = "as the rule asks" if lost <= WITHIN else f"**the rule asks for {WITHIN:.0f} and is not met**"
            said.append(
                f"{title} correlates by {rho:.2f} on {name} and chooses *{chosen}*, {lost:.1f} points below the best: {met}."
            )
    return said


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: -r["linear"])


def picture(rows: list[Row]) -> str:
    """Mean rank against linear accuracy, a point for each run, as SVG that reads on light and on dark."""
    values, linear = free(rows), np.array([r["linear"] for r in rows])
    standing = mean_rank({name: values[name] for name in CHOOSING})
    low, high = np.floor(linear.min()), np.ceil(linear.max())
    x = EDGE + (linear - low) / (high - low) * (WIDTH - 2 * EDGE)
    y = HEIGHT - EDGE - standing * (HEIGHT - 2 * EDGE)
    points = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="#2a7ab9" fill-opacity=".7"><title>{escape(r["run"])}: '
        f"{r['linear']:.1f} %</title></circle>"
        for a, b, r in zip(x, y, rows)
    )
    axis = "".join(
        f'<text x="{EDGE + share * (WIDTH - 2 * EDGE):.0f}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">'
        f"{low + share * (high - low):.0f}</text>"
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    frame = (
        f'<path d="M{EDGE} {EDGE}V{HEIGHT - EDGE}H{WIDTH - EDGE}" fill="none" stroke="#888"/>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">linear accuracy, %</text>'
        f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">mean rank</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" '
        f'fill="#888"><title>Mean rank by label-free numbers against linear accuracy</title>{frame}{axis}{points}</svg>\n'
    )


def doctor_page() -> str:
    """Which planted faults raised an alarm, when and by which name; which healthy runs did."""
    sets = rows_of("faults")
    study = runpy.run_path(str(ROOT / "benchmarks" / "faults.py"))
    parts = [
        "# Faults named while they happen",
        "Written by `python docs/generate.py` from the rows of `benchmarks/faults.py`.",
    ]
    parts += [DOCTOR, study["__doc__"].split("\n\n", 2)[2].strip(), "## What was found"]
    caught = [*_caught(sets, study["TRIED_ON"], len(study["FAULTS"])), _found_later(sets)]
    parts.append("\n".join(f"- {sentence}" for sentence in caught))
    for name, rows in sets.items():
        told = "nothing was set here" if name in study["TRIED_ON"] else "thresholds set here"
        parts += [f"## {name}, {told}", _faults(rows), _healthy(rows)]
        seconds = sum(r["seconds"] for r in rows) / 60
        parts.append(
            f"{len(rows)} runs, `{rows[0]['command']}`, {seconds:.0f} minutes, {rows[0]['machine']}, commits "
            f"{', '.join(sorted({r['commit'] for r in rows}))}."
        )
    return "\n\n".join(parts) + "\n"


DOCTOR = (
    "A training embeds 256 of its samples before the first step, at each of the first five lines of its log and at every fifth "
    "line from then on. What it sees raises an alarm that names the likely cause, on the terminal and in `metrics.jsonl`, once "
    "in a stage; `tacit doctor RUN` reads them again. Conditions and thresholds stand in `src/tacit/training/alarms.py`. The "
    "alarm of views is taken back where, at two looks in a row, fewer than half as many are confused as before training."
)


def early(row: Row) -> bool:
    """Whether a run's first alarm named what was planted within its first tenth."""
    return bool(row["alarms"]) and row["alarms"][0][2] <= 0.1 and row["alarms"][0][0] == row["cause"]


def _caught(sets: dict[str, list[Row]], tried: tuple[str, ...], faults: int) -> list[str]:
    said = []
    for name, rows in sets.items():
        planted, healthy = [r for r in rows if r["cause"]], [r for r in rows if not r["cause"]]
        said.append(
            f"{name}: {sum(map(early, planted))} of {len(planted)} faults were named within the first tenth, "
            f"{sum(bool(r['alarms']) for r in planted)} raised an alarm at all; "
            f"{sum(bool(r['alarms']) for r in healthy)} of {len(healthy)} healthy runs raised one."
        )
    done = {name: sets[name] for name in tried if name in sets}
    new = [r for rows in done.values() for r in rows]
    runs, false = sum(not r["cause"] for r in new), sum(bool(r["alarms"]) for r in new if not r["cause"])
    if not done or runs < 30 or len(new) - runs < faults * len(done):
        return [*said, f"The runs on {', '.join(tried)} are not complete: whether the rule is met is open."]
    met = "The rule is met" if sum(map(early, new)) == len(new) - runs and false <= 1 else "**The rule is not met**"
    said.append(f"{met}, over {', '.join(done)}: {false} alarms on {runs} healthy runs.")
    return said


def _found_later(sets: dict[str, list[Row]]) -> str:
    """How far the overlap fell where views were planted too hard: whether their alarm could have been taken back."""
    looks = [[look["overlap"] for look in r["signals"]] for rows in sets.values() for r in rows if r["cause"] == "views"]
    least = min(min(overlaps) / overlaps[0] for overlaps in looks)
    return (
        f"Of the {len(looks)} runs with views planted too hard, the overlap of none fell below {least:.2f} of what it was "
        "before training; `tacit demo`, whose views are as hard on purpose, takes its alarm back."
    )


def _faults(rows: list[Row]) -> str:
    """Each planted fault beside the healthy run of the same method."""
    healthy = {r["run"]: r["linear"] for r in rows if not r["cause"]}
    lines = ["| planted | named | at | linear | healthy |", "|---|---|---|---|---|"]
    for r in (r for r in rows if r["cause"]):
        cause, at = (r["alarms"][0][0], f"{100 * r['alarms'][0][2]:.1f} %") if r["alarms"] else ("**nothing**", "")
        other = "" if cause in (r["cause"], "**nothing**") else f" (planted: {r['cause']})"
        method = r["run"].partition(",")[0]
        own = "diverged" if r["linear"] is None else f"{r['linear']:.1f}"
        reached = [own, f"{healthy[method]:.1f}" if healthy.get(method) else "–"]
        lines.append(f"| {r['run']} | {cause}{other} | {at} | {' | '.join(reached)} |")
    return "\n".join(lines)


def _healthy(rows: list[Row]) -> str:
    own = [r for r in rows if not r["cause"]]
    false = [f"{r['run']} ({r['alarms'][0][0]} at {100 * r['alarms'][0][2]:.0f} %)" for r in own if r["alarms"]]
    return f"Healthy: {', '.join(r['run'] for r in own)}. Alarms on them: {', '.join(false) or 'none'}."
