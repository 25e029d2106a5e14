"""`tacit search`: the nearest things in a table."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared, given


def search(
    table: str,
    query: str,
    /,
    *,
    top: int | None = None,
    run: str | None = None,
    sheet: Path = Path("search.png"),
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Find what is nearest to an image, an id, a vector or words; print ids and scores, draw a contact sheet.

    Parameters
    ----------
    table
        What `tacit embed` wrote.
    query
        The path of an image, the id of a row, or a vector: a .npy file or numbers in brackets; of texts also words.
    top
        How many to find; 10 if not given.
    run
        The run that embeds the query, if it has moved since the table was written.
    sheet
        Where to draw the contact sheet.
    """
    hits = tacit.search(table, query, sheet=sheet, **given(top=top, run=run))
    width = max((len(str(hit.id)) for hit in hits), default=0)
    lines = [f"{hit.id!s:<{width}}  {hit.score:7.4f}" + (f"  {hit.text}" if hit.text else "") for hit in hits]
    return Answer("\n".join([*lines, f"The contact sheet is in {sheet}."]), {"hits": hits, "sheet": sheet})
