"""`tacit demo`: the whole story in a few minutes, on images it renders itself."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Seed, Shared, given


def demo(out: Path | None = None, *, seed: Seed = None, quiet: bool = False, shared: Shared = NO_FLAGS) -> Answer:
    """Render a small honest image set, pretrain, judge, search, and say what to type next.

    Parameters
    ----------
    out
        The folder to write to; tacit-demo if not given.
    quiet
        No progress line.
    """
    run = tacit.demo(**given(out=out, seed=seed), quiet=quiet)
    return Answer(f"The run is in {run.path}.", {"path": run.path, "config": run.config})
