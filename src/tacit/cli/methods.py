"""`tacit methods`: what there is to learn with, or everything of one method."""

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared


def methods(name: str | None = None, /, *, shared: Shared = NO_FLAGS) -> Answer:
    """List the methods; with a name, its paper, recipes, options, and what it was checked against.

    Parameters
    ----------
    name
        A method's name, such as simclr.
    """
    if name is not None:
        found = tacit.describe(name)
        return Answer(str(found), found, f"tacit pretrain DATA --method {found.key} --out RUN")
    listed = tacit.catalogue()
    rows = [("method", "room", "year", "views", "runs on", "checked against")]
    rows += [(m.key, m.room, str(m.year), m.views, ", ".join(m.runs_on), m.checked or "unverified") for m in listed]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return Answer("\n".join(lines), listed, "tacit methods simclr")
