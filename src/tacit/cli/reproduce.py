"""`tacit reproduce`: run the claims of published systems, and say whether they hold here."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared, aside, given


def reproduce(
    *keys: str,
    room: str | None = None,
    everything: Annotated[bool, Parameter("--all")] = False,
    stale: bool = False,
    quick: bool = False,
    out: Path | None = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Run the claim of a published system again, small, and say whether it holds here.

    Parameters
    ----------
    keys
        Claims by their catalogue key, such as dcl.
    room
        All claims of a room, such as contrast.
    everything
        All claims.
    stale
        Only those never finished, or whose code has changed since.
    quick
        One seed on little generated data: shows that they run, concludes nothing.
    out
        The folder of results, claims/ if not given; what the same code measured there is not measured again.
    """
    asked = given(room=room, out=out)
    found = tacit.reproduce(keys, everything=everything, stale=stale, quick=quick, told=aside, **asked)
    failed = any(verdict.error for verdict in found)
    return Answer("\n".join(map(str, found)) or "Nothing is stale.", found, status=int(failed))
