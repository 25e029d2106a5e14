"""`tacit preview`: a sheet of the views that training would see."""

from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Kind, Seed, Shared, given
from tacit.cli.options import read


def preview(
    data: str,
    /,
    *,
    method: str | None = None,
    out: Path | None = None,
    count: int | None = None,
    size: int | None = None,
    kind: Kind = None,
    seed: Seed = None,
    shared: Shared = NO_FLAGS,
    **options: Annotated[str, Parameter(help="An option of the views, by its own name: --blur 0.5.")],
) -> Answer:
    """Draw a sheet of the views that training would see, before it starts.

    Parameters
    ----------
    data
        As for `tacit inspect`.
    method
        The method whose views are drawn; simclr if not given, of images with captions align.
    out
        The picture to write; preview.png if not given.
    count
        How many samples to show; 8 if not given.
    size
        Height and width of a view, in pixels.
    """
    rest = read(options)
    path = tacit.preview(data, **given(method=method, out=out, count=count, size=size, kind=kind, seed=seed), **rest)
    chosen = f"--method {method} " if method else ""
    then = f"tacit pretrain {quote(data)} {chosen}--out runs/{quote(Path(data).stem or 'first')}"
    return Answer(f"The views are in {path}.", {"out": path}, then)
