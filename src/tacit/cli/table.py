"""`tacit table`: what a table holds, its versions, and its vectors out to the files of others and in from them."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tacit.cli.answer import NO_FLAGS, Answer, Shared
from tacit.errors import TacitError


def table(
    table: str,
    /,
    *,
    export: Path | None = None,
    take_in: Annotated[Path | None, Parameter("--import")] = None,
    encoder: str = "",
    similarity: str = "cosine",
    compact: bool = False,
    restore: int = 0,
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
        With --import: cosine or dot.
    compact
        Put the pieces of the table together and forget its earlier versions.
    restore
        Make the table what it was in this version.
    """
    from tacit.embeddings import exchange
    from tacit.embeddings.read import open_table
    from tacit.embeddings.upkeep import compacted, restored, versions

    if sum((export is not None, take_in is not None, compact, bool(restore))) > 1:
        raise TacitError("Of --export, --import, --compact and --restore one was expected; give them one after another.")
    if take_in is not None:
        if not encoder:
            raise TacitError("--import needs --encoder NAME, what made the vectors, so that they are not mixed with others.")
        found = exchange.take_in(take_in, table, encoder=encoder, similarity=similarity)
    elif encoder:
        raise TacitError("--encoder names what made the vectors of --import; leave it out, or give the file.")
    else:
        found = open_table(table)
    if compact:
        found = compacted(found)
    if restore:
        found = restored(found, restore)
    lines = [f"{found}."]
    if export is not None:
        lines.append(f"Its rows are in {exchange.export(found, export)}.")
    made, history = found.provenance, versions(found)
    lines += [f"Made by {made.run} (encoder {made.encoder[:12]}) from {made.source or 'an unnamed source'}."]
    lines += [f"Columns: {', '.join(found.lance.schema.names)}."]
    lines += [f"Version {entry.number}, {entry.time:%Y-%m-%d %H:%M:%S}: {entry.rows:,} rows." for entry in history]
    return Answer("\n".join(lines), {"path": found.path, "rows": len(found), "provenance": made, "versions": history})
