"""`tacit inspect`: what was understood of the data."""

from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Kind, Shared


def inspect(data: str, /, *, kind: Kind = None, shared: Shared = NO_FLAGS) -> Answer:
    """Say what was understood of the data: kind, count, sizes, labels, splits, trouble.

    Parameters
    ----------
    data
        A folder of images (flat, in class folders, or with train and test above them), a list (.csv, .tsv, .parquet), tar
        shards, a saved Hugging Face set, or an .npz or .npy file.
    """
    found = tacit.inspect(data, kind=kind)
    graphs = {"graph": "grace", "graphs": "simclr"}  # of which no sheet is drawn
    if found.kind in graphs:
        return Answer(str(found), found, f"tacit pretrain {quote(data)} --method {graphs[found.kind]}")
    return Answer(str(found), found, f"tacit preview {quote(data)} --method simclr")
