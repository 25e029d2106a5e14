"""`tacit table`: what a table holds, its versions, and its vectors out to the files of others and in from them."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared, given


def table(
    table: str,
    /,
    *,
    export: Path | None = None,
    take_in: Annotated[Path | None, Parameter("--import")] = None,
    encoder: str | None = None,
    similarity: str | None = None,
    join: Path | None = None,
    compress: str | None = None,
    compact: bool = False,
    restore: int | None = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Say what a table holds; put its vectors into a file, or those of a file into it.

    Parameters
    ----------
    table
        What `tacit embed` wrote, or what --import is to make.
    export
        Write all rows to a .parquet file, or the vectors to a .npy or a .faiss file with their ids beside them.
    take_in
        Make the table of a .parquet file with columns id and vector, or of a .npy file, made elsewhere.
    encoder
        With --import: the name of what made the vectors.
    similarity
        With --import: cosine or dot; cosine if not given.
    join
        Add the columns of a .csv, .tsv or .parquet with a column id, or path: --where can be on them, and clusters are named
        by them.
    compress
        Make codes beside the table, and say how small and how good they are: scalar, scalar4, product, binary, after first64,
        pca64 or tldr64, as in pca64,scalar. `tacit search --codes` asks them.
    compact
        Put the pieces of the table together and forget its earlier versions.
    restore
        Make the table what it was in this version.
    """
    how = given(
        export=export, take_in=take_in, encoder=encoder, similarity=similarity, join=join, compress=compress, restore=restore
    )
    found = tacit.table(table, compact=compact, **how)
    facts = {
        "path": found.table.path,
        "rows": len(found.table),
        "provenance": found.provenance,
        "columns": found.columns,
        "versions": [entry._asdict() for entry in found.versions],
        "codes": found.codes,
    }
    return Answer(str(found), facts)
