"""The numbers of docs/exploring.md, from what benchmarks/explore.py stored."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- measured by benchmarks/explore.py -->", "<!-- end of measured -->"
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
    file = ROOT / "benchmarks" / "results" / "explore.json"
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(json.loads(file.read_text()))}\n{END}{after}"


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
