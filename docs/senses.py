"""The section of docs/numbers.md on text, audio, time series, video and pairs, from the rows of benchmarks/senses.py."""

import statistics
from collections import Counter
from typing import Any

Row = dict[str, Any]
RECALL = ("image_to_text_at_10", "text_to_image_at_10")
SETS = {  # and the numbers whose mean says how good a method is
    "ag-news-small": ("text: topics of AG News, 6 000 for training", ("knn",)),
    "fsdd": ("audio: spoken digits, 1 800", ("knn",)),
    "gunpoint": ("time series: GunPoint, 50", ("knn",)),
    "italypowerdemand": ("time series: ItalyPowerDemand, 67", ("knn",)),
    "moving-mnist": ("video: moving digits, 1 200", ("knn",)),
    "emoji-captions": ("pairs: emoji and what they are called, 908", RECALL),
}
BEST = 3
HOW = (
    "kNN (k = 20) on the declared test part from the labels of the training part; of pairs recall at 10, the mean of both "
    "directions; all in per cent. One small budget for all methods of a set, fixed before the runs, each method by its own "
    "recipe for small data; nothing was tuned on a test part. Crops and rate of the texts were chosen for SimCLR on a held-out "
    "part of the training texts. So little training shows what a method gives at once, not what it can reach."
)


def senses(rows: list[Row]) -> str:
    """Raw input, the untrained encoder and the best methods of each set, then all methods."""
    of_set = {name: [r for r in rows if r["set"] == name] for name in SETS}
    of_set = {name: own for name, own in of_set.items() if own}
    budgets = (f"{name} {own[0]['options']['epochs']} in {own[0]['options']['batch']}" for name, own in of_set.items())
    minutes = sum(r["seconds of the processor"] for r in rows) / 60
    machine, commits = rows[0]["machine"], ", ".join(dict.fromkeys(r["commit"] for r in rows))
    return "\n\n".join(
        [
            best(of_set),
            f"{HOW} Epochs, and samples in a batch: {', '.join(budgets)}.",
            "All methods, with the deviation over seeds where there are several; behind the stroke the linear probe.",
            everything(of_set),
            f"`python benchmarks/senses.py`: {len(rows)} runs, {minutes:.0f} minutes of one core, {machine}; commits "
            f"{commits}.",
        ]
    )


def best(of_set: dict[str, list[Row]]) -> str:
    lines = [f"| | raw input | untrained encoder | best {BEST} methods{' |' * BEST}", "|---" * (BEST + 3) + "|"]
    for name, own in of_set.items():
        title, metrics = SETS[name]
        value = {method: reached(rows, metrics)[0] for method, rows in by_method(own).items()}
        first = sorted(value, key=lambda method: -value[method])[:BEST]
        cells = [*floor(own, metrics), *(f"`{method}` **{value[method]:.1f}**" for method in first)]
        lines.append(f"| {title} | {' | '.join(cells + [''] * (BEST - len(first)))} |")
    return "\n".join(lines)


def everything(of_set: dict[str, list[Row]]) -> str:
    table: dict[str, dict[str, str]] = {"raw input": {}, "untrained encoder": {}}
    for name, own in of_set.items():
        metrics = SETS[name][1]
        for who, shown in zip(list(table)[:2], floor(own, metrics)):
            table[who][name] = shown
        for method, rows in by_method(own).items():
            mean, spread = reached(rows, metrics)
            shown = f"{mean:.1f} ± {spread:.1f}" if len(rows) > 1 else f"{mean:.1f}"
            linear = "" if metrics == RECALL else f" / {reached(rows, ('linear',))[0]:.1f}"
            table.setdefault(f"`{method}`", {})[name] = shown + linear
    lines = [f"| | {' | '.join(of_set)} |", "|---" * (len(of_set) + 1) + "|"]
    return "\n".join(
        [*lines, *(f"| {who} | {' | '.join(cells.get(name, '') for name in of_set)} |" for who, cells in table.items())]
    )


def floor(rows: list[Row], metrics: tuple[str, ...]) -> list[str]:
    """Raw input, and the encoder that most methods have before it is trained."""
    usual = Counter(r["encoder"] for r in rows).most_common(1)[0][0]
    own = [r for r in rows if r["encoder"] == usual]
    found = [[reached([r], metrics, who)[0] for r in own] for who in ("raw input", "untrained encoder")]
    return [f"{statistics.mean(values):.1f}" for values in found]


def by_method(rows: list[Row]) -> dict[str, list[Row]]:
    return {method: [r for r in rows if r["method"] == method] for method in dict.fromkeys(r["method"] for r in rows)}


def reached(rows: list[Row], metrics: tuple[str, ...], who: str = "this encoder") -> tuple[float, float]:
    """Mean and deviation over rows of the mean of some numbers."""
    values = [statistics.mean(r["numbers"][who][metric][0] for metric in metrics) for r in rows]
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
