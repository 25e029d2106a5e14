"""`tacit embed`: vectors on disk for everything in the data."""

from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Shared, aside, given


def embed(
    run: str,
    data: str,
    /,
    *,
    out: str,
    overwrite: bool = False,
    append: bool = False,
    renew: bool = False,
    tokens: bool = False,
    pool: int | None = None,
    batch: int | None = None,
    engine: str | None = None,
    kind: Kind = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Write the vectors of everything in the data to a table, with ids, paths, labels and what is shown of each: a small
    picture, the beginning of a text, the cells of a row.

    What was broken off is gone on with by the same command.

    Parameters
    ----------
    run
        The folder of a run.
    data
        As for `tacit inspect`.
    out
        The LanceDB table to write: NAME.lance, or an address such as s3://bucket/NAME.lance, with keys in the environment.
    overwrite
        Replace a table that is there, once the new one is whole.
    append
        Add to it what it has not, by id.
    renew
        Add that, and embed anew what it has.
    tokens
        Keep vectors of a sample's tokens, patches of an image or words of a text, which search compares one by one.
    pool
        With --tokens: keep the means of groups of about so many; 1 if not given.
    batch
        Samples at once; 256 if not given.
    engine
        local, or ray: by the workers of a Ray cluster (RAY_ADDRESS, or one started here); local if not given.
    """
    how = given(batch=batch, pool=pool, engine=engine, kind=kind, device=device)
    table = tacit.embed(run, data, out=out, overwrite=overwrite, append=append, renew=renew, tokens=tokens, told=aside, **how)
    what = "samples, vectors of tokens" if tokens else "vectors"
    rows = f"{table.path} holds {len(table)} {what} of {table.provenance.dim} numbers."
    return Answer(
        rows,
        {"path": table.path, "rows": len(table), "provenance": table.provenance},
        f"tacit search {quote(out)} QUERY --top 10",
    )
