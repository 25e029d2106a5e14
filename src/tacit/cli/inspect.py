"""`tacit inspect`: what was understood of the data."""

from pathlib import Path
from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Kind, Shared, given


def inspect(data: str, /, *, kind: Kind = None, schema: Path | None = None, shared: Shared = NO_FLAGS) -> Answer:
    """Say what was understood of the data: kind, count, sizes, labels, splits, trouble.

    Parameters
    ----------
    data
        A folder of images (flat, in class folders, or with train and test above them), a list (.csv, .tsv, .parquet), tar
        shards, a saved Hugging Face set, a table (.csv, .parquet, .arrow, or a .yaml that describes one), or an .npz or .npy.
    schema
        Of a table: write what was inferred to this .yaml, to be changed and given in place of the table.
    """
    found = tacit.inspect(data, kind=kind, **given(schema=schema))
    source = quote(str(schema or data))
    then = f"tacit preview {source} --method {found.shown_by}" if found.drawn else f"tacit pretrain {source}"
    if found.trouble and found.kind == "vector":
        then = "remove the rows named above or fill them in: nothing is trained on an array that holds NaN"
    return Answer(str(found), found, then)
