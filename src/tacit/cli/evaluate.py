"""`tacit evaluate`: how good a trained encoder is, beside raw input and the untrained encoder."""

from pathlib import Path
from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Seed, Shared, given


def evaluate(
    run: str,
    data: str,
    /,
    *,
    report: Path | None = None,
    kind: Kind = None,
    seed: Seed = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Say how good an encoder is, with labels where there are any and without.

    Every number stands beside that of the raw input and of the untrained encoder, with its protocol and its interval.

    Parameters
    ----------
    run
        The folder of a run.
    data
        As for `tacit inspect`; labels are used for judging only.
    report
        Where to write the page with curves, spectrum, map and neighbours.
    """
    found = tacit.evaluate(run, data, **given(report=report, kind=kind, seed=seed, device=device))
    table = quote(Path(data).stem or "table") + ".lance"
    return Answer(str(found), found, f"tacit embed {quote(run)} {quote(data)} --out {table}")
