"""`tacit export`: a run as a file that others load."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Shared, given


def export(
    run: str,
    /,
    *,
    out: Path,
    format: str | None = None,
    part: str | None = None,
    unit: bool = False,
    data: str | None = None,
    overwrite: bool = False,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Write what a run embeds with to where others can use it, and a card that says what it is.

    Parameters
    ----------
    run
        The folder of a run.
    out
        NAME.onnx, or a folder for timm and transformers, or NAME.md for the card alone.
    format
        onnx: one graph from raw input to vector, checked by onnxruntime; timm or transformers: weights for that library;
        card: the card alone. onnx if not given.
    part
        Of a run on pairs: whose encoder, first or second; first if not given.
    unit
        Of onnx: vectors of length 1.
    data
        Samples by which an ONNX file is checked; some of the run's own if not given.
    overwrite
        Replace what is there.
    """
    how = given(format=format, part=part, data=data)
    made = tacit.export(run, out=out, unit=unit, overwrite=overwrite, **how)
    return Answer(str(made), {"out": made.out, "format": made.format, "files": made.files, "checked": made.checked})
