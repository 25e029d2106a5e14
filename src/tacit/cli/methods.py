"""`tacit methods`: what there is to learn with and on which data, or everything of one method."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared

LEGEND = """P  in the paper: its authors train it on such data
·  possible here
●  measured here: docs/matrix.md leads to the numbers
✓  compared with the authors' own code"""


def methods(name: str | None = None, /, *, shared: Shared = NO_FLAGS) -> Answer:
    """List the methods and the kinds of data; with a name, its paper, recipes, options, and what it was checked against.

    Parameters
    ----------
    name
        A method's name, such as simclr.
    """
    if name is not None:
        found = tacit.describe(name)
        return Answer(str(found), found, f"tacit pretrain DATA --method {found.key} --out RUN")
    listed = tacit.catalogue()
    return Answer(f"{_matrix(listed)}\n\n{LEGEND}", listed, "tacit methods simclr")


def _matrix(listed: Sequence[Any]) -> str:
    """A line for each method under its room and a column for each kind of data, whose names stand on stairs above them."""
    kinds = list(dict.fromkeys(kind for method in listed for kind in (*method.runs_on, *method.in_paper)))
    width = max(len(method.key) for method in listed) + 2
    edge = " " * (width + len("  2020 ✓ P"))
    lines = [f"{edge}{'│  ' * step}{kind}" for step, kind in enumerate(kinds)]
    for room, members in groupby(listed, lambda method: method.room):
        lines.append(f"{room:{len(edge)}}{'│  ' * len(kinds)}".rstrip())
        for m in members:
            cells = (
                ("P" if kind in m.in_paper else " ") + ("●" if kind in m.measured else "·" if kind in m.runs_on else " ")
                for kind in kinds
            )
            lines.append(f"  {m.key:{width}}{m.year} {'✓' if m.checked else ' '} {' '.join(cells)}".rstrip())
    return "\n".join(lines)
