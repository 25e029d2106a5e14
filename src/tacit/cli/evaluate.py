"""`tacit evaluate`: how good a trained encoder is, beside raw input and the untrained encoder."""

from pathlib import Path
from shlex import quote
from typing import Any

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Seed, Shared, given


def evaluate(
    run: str,
    data: str,
    /,
    *,
    report: Path | None = None,
    regimes: bool = False,
    layers: bool = False,
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
    regimes
        Also train copies of the encoder, on a few labels and on all, beside the untrained one: takes minutes.
    layers
        Also tell every layer of the encoder and the projector apart, and what a rotation probe reads.
    """
    opened = given(kind=kind, seed=seed, device=device)
    more: dict[str, Any] = {}  # first, since they refuse what they cannot do
    if regimes:
        more["regimes"] = tacit.regimes(run, data, **opened)
    if layers:
        more["layers"] = tacit.dissect(run, data, **opened)
    found = tacit.evaluate(run, data, **given(report=report), **opened)
    facts, text = found.as_dict() | more, "\n\n".join(map(str, (found, *more.values())))
    table = quote(Path(data).stem or "table") + ".lance"
    return Answer(text, facts, f"tacit embed {quote(run)} {quote(data)} --out {table}")
