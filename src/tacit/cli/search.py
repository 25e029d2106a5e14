"""`tacit search`: the nearest things in a table."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared, aside, given
from tacit.errors import TacitError, Unfinished

SHEET, DRAWN = Path("search.png"), b"tEXtSoftware\0Tacit"  # where none is given, and what is in the head of one of Tacit's


def search(
    table: str,
    query: str,
    /,
    *,
    top: int | None = None,
    where: str | None = None,
    exact: bool = False,
    codes: str | None = None,
    funnel: bool = False,
    hybrid: bool = False,
    out: Path | None = None,
    run: str | None = None,
    sheet: Path | None = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Find what is nearest to an image, an id, a vector or words; print ids and scores, draw a contact sheet.

    Parameters
    ----------
    table
        What `tacit embed` wrote.
    query
        The path of an image, the id of a row, or a vector: a .npy file or numbers in brackets; of texts also words. With
        --out many at once: any data, or a .npy file of vectors.
    top
        How many to find; 10 if not given.
    where
        Compare only rows that meet a condition on the columns, as SQL has it: "label = '3' AND split = 'train'".
    exact
        Compare every row of a large table too, and do not ask its index.
    codes
        Let codes name candidates: scalar, scalar4, product, binary, after first64, pca64 or tldr64, as in pca64,scalar.
        `tacit table --compress` says how good they are; made the first time.
    funnel
        Let the first numbers name candidates, in a table of a run of matryoshka; made and measured the first time.
    hybrid
        Fuse the nearest with what holds the words of the query (BM25), in a table of texts.
    out
        Write what is found for many queries to a Parquet file: query, rank, id, score.
    run
        The run that embeds the query, if it has moved since the table was written.
    sheet
        Where to draw the contact sheet; in search.png if not given, unless one is there that Tacit did not draw.
    """
    how = {"exact": exact, "funnel": funnel, "told": aside, **given(top=top, where=where, codes=codes, run=run)}
    if out is not None:
        if hybrid:
            raise TacitError("--hybrid is for one query in words, and --out for many; give one of them.")
        if sheet is not None:
            raise TacitError("--sheet draws what one query finds, and --out is for many; give one of them.")
        count = tacit.search_all(table, query, out=out, **how)
        return Answer(f"{out} holds what is nearest to {count:,} queries.", {"path": out, "queries": count})
    drawn, status = sheet or (SHEET if _is_free(SHEET) else None), 0
    try:
        hits = tacit.search(table, query, sheet=drawn, hybrid=hybrid, **how)
    except Unfinished as error:  # the sheet could not be written
        hits, drawn, status = error.found, None, 1
        aside(f"tacit: {error}")
    if not hits:
        none = f"There is no other row in {table}" if where is None else f"No row of {table} meets the condition {where!r}"
        return Answer(f"{none}.", {"hits": hits}, status=status)
    width = max((len(str(hit.id)) for hit in hits), default=0)
    lines = [f"{hit.id!s:<{width}}  {hit.score:7.4f}" + (f"  {hit.text}" if hit.text else "") for hit in hits]
    if drawn is not None:
        lines.append(f"The contact sheet is in {drawn}.")
    elif not status:
        lines.append(f"{SHEET} is there and no contact sheet, so that none is drawn; say with --sheet where to.")
    return Answer("\n".join(lines), {"hits": hits, "sheet": drawn}, status=status)


def _is_free(file: Path) -> bool:
    """Whether there is no such file, or one that Tacit drew."""
    if not file.exists():
        return True
    try:
        with file.open("rb") as content:
            return DRAWN in content.read(200)
    except OSError:
        return False
