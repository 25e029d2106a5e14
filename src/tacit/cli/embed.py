"""`tacit embed`: vectors on disk for everything in the data."""

from pathlib import Path
from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Shared, aside, given


def embed(
    run: str,
    data: str,
    /,
    *,
    out: Path,
    overwrite: bool = False,
    append: bool = False,
    renew: bool = False,
    batch: int | None = None,
    engine: str | None = None,
    kind: Kind = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Write the vectors of everything in the data to a table, with ids, paths, labels and thumbnails.

    What was broken off is gone on with by the same command.

    Parameters
    ----------
    run
        The folder of a run.
    data
        As for `tacit inspect`.
    out
        The LanceDB table to write: NAME.lance.
    overwrite
        Replace a table that is there, once the new one is whole.
    append
        Add to it what it has not, by id.
    renew
        Add that, and embed anew what it has.
    batch
        Samples at once; 256 if not given.
    engine
        local, or ray: by the workers of a Ray cluster (RAY_ADDRESS, or one started here); local if not given.
    """
    how = given(batch=batch, engine=engine, kind=kind, device=device)
    table = tacit.embed(run, data, out=out, overwrite=overwrite, append=append, renew=renew, told=aside, **how)
    rows = f"{table.path} holds {len(table)} vectors of {table.provenance.dim} numbers."
    return Answer(
        rows,
        {"path": table.path, "rows": len(table), "provenance": table.provenance},
        f"tacit search {quote(str(out))} QUERY --top 10",
    )
