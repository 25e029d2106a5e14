"""The numbers of docs/exploring.md, from what benchmarks/explore.py stored."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- measured by benchmarks/explore.py -->", "<!-- end of measured -->"
MAP, MAP_END = "<!-- a map, measured by benchmarks/explore.py -->", "<!-- end of a map -->"
TITLES = {
    "points": "points",
    "frames a second": "frames a second while moving",
    "processor milliseconds a frame": "milliseconds of the processor a frame",
    "points drawn while moving": "points drawn while moving",
    "seconds until all are drawn": "seconds from the command until all are drawn",
    "of them until the server answers": "of them until the server answers",
    "seconds of the processor until all are drawn": "seconds of the processor until all are drawn",
}


def page(document: str) -> str:
    """The document with its numbers written anew."""
    rows = json.loads((ROOT / "benchmarks" / "results" / "explore.json").read_text())
    for begin, end, said in ((MAP, MAP_END, mapped(rows)), (BEGIN, END, table(rows))):
        before, _, rest = document.partition(begin)
        _, _, after = rest.partition(end)
        document = f"{before}{begin}\n{said}\n{end}{after}"
    return document


def mapped(rows: dict[str, dict[str, Any]]) -> str:
    """What the map of a large table costs."""
    if "a map of 200 000" not in rows:
        return "What a large map costs was not measured."
    row = rows["a map of 200 000"]
    count, load = f"{row['rows']:,}".replace(",", " "), f"{min(row['load']):.0f} to {max(row['load']):.0f}"
    return (
        f"A map of {count} rows of 64 numbers took {row['seconds of the processor']:.0f} seconds of the processor and "
        f"{row['MiB grown at the peak']:.0f} MiB of memory at the peak, beside {row['MiB of vectors']:.0f} MiB of vectors on "
        f"disk. By the clock it was {row['seconds']:.0f} seconds, {row['seconds until UMAP has placed its rows']:.0f} of them "
        f"until UMAP had placed its 30 000, at a load of {load} on {row['machine']}."
    )


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A column for each number of points."""
    moved = [row for row in rows.values() if "points" in row]
    lines = ["|" + " |" * (len(moved) + 1), "|---" * (len(moved) + 1) + "|"]
    for key, title in TITLES.items():
        said = [f"{row[key]:,}".replace(",", " ") if key in row else "not measured" for row in moved]
        lines.append(f"| {title} | {' | '.join(said)} |")
    loads = [f"{min(row['load']):.0f} to {max(row['load']):.0f}" for row in moved]
    lines.append(f"| load of the machine meanwhile | {' | '.join(loads)} |")
    return "\n".join([*lines, "", f"{moved[0]['machine']}; Chromium without a window, SwiftShader, 1440 × 900 pixels."])
