"""The section of docs/numbers.md on text, audio, time series, video and pairs, from the rows of benchmarks/senses.py."""

import statistics
from collections import Counter
from typing import Any, NamedTuple

Row = dict[str, Any]


class Shown(NamedTuple):
    """What is told of a set: the numbers whose mean says how good a method is, and one that stands behind it."""

    title: str
    good: tuple[str, ...] = ("knn",)
    behind: str = "linear"


SETS = {
    "ag-news-small": Shown("text: topics of AG News, 6 000 for training", behind=""),
    "fsdd": Shown("audio: spoken digits, 1 800"),
    "gunpoint": Shown("time series: GunPoint, 50"),
    "italypowerdemand": Shown("time series: ItalyPowerDemand, 67"),
    "moving-mnist": Shown("video: two moving digits, 1 200", ("digits",), "motion"),
    "emoji-captions": Shown("pairs: emoji and their names, 908", ("image_to_text_at_10", "text_to_image_at_10"), ""),
}
BEST = 3
HOW = (
    "In per cent, on the declared test part from the labels of the training part: kNN (k = 20); of clips the digits that a "
    "linear probe names rightly; of pairs recall at 10, the mean of both directions. One small budget for all methods of a "
    "set, fixed before the runs, each method by its own recipe for small data; nothing was tuned on a test part. Crops and "
    "rate of the texts were chosen for SimCLR on a held-out part of the training texts. So little training shows what a method "
    "gives at once, not what it can reach."
)
ALL = (
    "All methods, with the deviation over seeds where there are several; behind the stroke the linear probe, of clips the "
    "share of the velocities' variance that a linear probe explains."
)


def senses(rows: list[Row]) -> str:
    """Raw input, the untrained encoder and the best methods of each set, then all methods."""
    of_set = {name: [r for r in rows if r["set"] == name] for name in SETS}
    of_set = {name: own for name, own in of_set.items() if own}
    budgets = (f"{name} {own[0]['options']['epochs']} in {own[0]['options']['batch']}" for name, own in of_set.items())
    minutes = sum(r["seconds of the processor"] for r in rows) / 60
    run = f"{len(rows)} runs, {minutes:.0f} minutes of one core, {rows[0]['machine']}"
    return "\n\n".join(
        [
            best(of_set),
            f"{HOW} Epochs, and samples in a batch: {', '.join(budgets)}.",
            ALL,
            everything(of_set),
            f"`python benchmarks/senses.py`: {run}; commits {', '.join(dict.fromkeys(r['commit'] for r in rows))}.",
        ]
    )


def best(of_set: dict[str, list[Row]]) -> str:
    lines = [f"| | raw input | untrained encoder | best {BEST} methods{' |' * BEST}", "|---" * (BEST + 3) + "|"]
    for name, own in of_set.items():
        good = SETS[name].good
        value = {method: reached(rows, good)[0] for method, rows in by_method(own).items()}
        first = sorted(value, key=lambda method: -value[method])[:BEST]
        cells = [f"{reached(usual(own), good, who)[0]:.1f}" for who in ("raw input", "untrained encoder")]
        cells += [f"`{method}` **{value[method]:.1f}**" for method in first] + [""] * (BEST - len(first))
        lines.append(f"| {SETS[name].title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def everything(of_set: dict[str, list[Row]]) -> str:
    table: dict[str, dict[str, str]] = {}
    for name, own in of_set.items():
        for who in ("raw input", "untrained encoder"):
            table.setdefault(who, {})[name] = cell(name, usual(own), who)
        for method, rows in by_method(own).items():
            table.setdefault(f"`{method}`", {})[name] = cell(name, rows)
    lines = [f"| | {' | '.join(of_set)} |", "|---" * (len(of_set) + 1) + "|"]
    return "\n".join(
        [*lines, *(f"| {who} | {' | '.join(cells.get(name, '') for name in of_set)} |" for who, cells in table.items())]
    )


def cell(name: str, rows: list[Row], who: str = "this encoder") -> str:
    _, good, behind = SETS[name]
    mean, spread = reached(rows, good, who)
    seeds = len({r["seed"] for r in rows}) > 1 and who == "this encoder"
    return f"{mean:.1f}{f' ± {spread:.1f}' if seeds else ''}{f' / {reached(rows, (behind,), who)[0]:.1f}' if behind else ''}"


def by_method(rows: list[Row]) -> dict[str, list[Row]]:
    return {method: [r for r in rows if r["method"] == method] for method in dict.fromkeys(r["method"] for r in rows)}


def usual(rows: list[Row]) -> list[Row]:
    """The rows of the encoder that most methods have."""
    encoder = Counter(r["encoder"] for r in rows).most_common(1)[0][0]
    return [r for r in rows if r["encoder"] == encoder]


def reached(rows: list[Row], metrics: tuple[str, ...], who: str = "this encoder") -> tuple[float, float]:
    """Mean and deviation over rows of the mean of some numbers."""
    values = [statistics.mean(r["numbers"][who][metric][0] for metric in metrics) for r in rows]
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
