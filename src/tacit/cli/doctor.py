"""`tacit doctor`: what went wrong in a run, why, and what to try."""

from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared


def doctor(run: str, /, *, shared: Shared = NO_FLAGS) -> Answer:
    """Say what went wrong in a run, why, and what to try.

    Looks at the alarms that the training raised, at how it ended, and at what `tacit evaluate` has said of it.

    Parameters
    ----------
    run
        The folder of a run, finished or not.
    """
    found = tacit.doctor(run)
    healthy = found.finished and not found.faults
    return Answer(str(found), found, f"tacit evaluate {quote(run)} DATA" if healthy else "")
