"""`tacit compare`: which of several runs, and which of their snapshots, to take, without labels."""

from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Kind, Seed, Shared, Usage, given


def compare(
    *runs: str,
    data: str | None = None,
    samples: int | None = None,
    kind: Kind = None,
    seed: Seed = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Rank runs, and the snapshots they kept, by numbers that need no labels, and name one.

    Parameters
    ----------
    runs
        The folders of runs on one kind of data.
    data
        What they are compared on; if not given, what the first was trained on. Labels are not looked at.
    samples
        So many of it; 2000 if not given.
    """
    if not runs:
        raise Usage("tacit compare got no RUN; name the folders of runs, such as runs/*.")
    found = tacit.compare(runs, **given(data=data, samples=samples, kind=kind, seed=seed, device=device))
    best = found.names[0].partition(" @ ")[0]
    return Answer(str(found), found, f"tacit evaluate {quote(best)} DATA")
