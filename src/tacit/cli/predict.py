"""`tacit predict`: what a head says of everything in the data."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Shared, given


def predict(
    head: str,
    data: str,
    /,
    *,
    out: Path,
    probabilities: bool = False,
    run: str | None = None,
    batch: int | None = None,
    kind: Kind = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Write the label and the confidence of everything in the data to a file, and where the head abstains.

    Parameters
    ----------
    head
        The folder that `tacit fit` wrote.
    data
        As for `tacit inspect`.
    out
        The .csv, .tsv or .parquet to write.
    probabilities
        Write that of every class too.
    run
        The run of the head, if it has moved since.
    batch
        Samples at once; 256 if not given.
    """
    options = given(run=run, batch=batch, kind=kind, device=device)
    found = tacit.predict(head, data, out=out, probabilities=probabilities, **options)
    return Answer(str(found), found)
