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
    then = f"tacit preview {quote(data)} --method simclr" if found.drawn else f"tacit pretrain {quote(data)}"
    return Answer(str(found), found, then)
