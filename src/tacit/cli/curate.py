"""`tacit curate`: which rows of a table are worth learning from."""

from pathlib import Path
from shlex import quote
from typing import Any

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Seed, Shared, given


def curate(
    table: str,
    /,
    *,
    out: Path,
    keep: int | None = None,
    balance: bool = False,
    typical: bool = False,
    diverse: bool = False,
    drop_duplicates: bool = False,
    drop_leaks: bool = False,
    drop_outliers: bool = False,
    drop_doubtful: bool = False,
    similar: float | None = None,
    hamming: int | None = None,
    within_folders: bool = False,
    far: float | None = None,
    overwrite: bool = False,
    engine: str | None = None,
    seed: Seed = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Decide which rows are worth learning from, and write every row with the reason into a manifest.

    Where the table knows of a test part, the training part alone is thinned. Change `kept` in the manifest as you like: it is
    a source for `tacit pretrain`. No file of the data is touched.

    Parameters
    ----------
    table
        What `tacit embed` wrote.
    out
        The manifest to write: NAME.parquet.
    keep
        How many to keep of what is left by the rest; at random unless one of the next three is said.
    balance
        Keep them evenly over what there is, however often it occurs (hierarchical k-means).
    typical
        Keep the most typical of each cluster.
    diverse
        Keep each as far as can be from the others.
    drop_duplicates
        Drop what repeats a row kept before.
    drop_leaks
        Drop what repeats a row of the validation or test part.
    drop_outliers
        Drop what lies far from everything.
    drop_doubtful
        Drop what bears another label than its neighbours.
    similar
        The cosine from which on rows repeat one another; 0.98 if not given.
    hamming
        Pictures are duplicates, too, if their 64-bit difference hashes differ in at most so many bits; 6 suits slices of scans.
    within_folders
        Compare hashes within a folder only.
    far
        How far an outlier is: quartile distances above the third quartile; 3 if not given.
    overwrite
        Replace a manifest that is there.
    engine
        Who looks for duplicates: local, or ray (the workers of a Ray cluster); local if not given.
    """
    chosen = {"balance": balance, "typical": typical, "diverse": diverse, "within_folders": within_folders}
    dropped = {"duplicates": drop_duplicates, "leaks": drop_leaks, "outliers": drop_outliers, "doubtful": drop_doubtful}
    wanted = chosen | {f"drop_{name}": drop for name, drop in dropped.items()} | {"overwrite": overwrite}
    numbers = given(keep=keep, similar=similar, hamming=hamming, far=far, engine=engine, seed=seed)
    switched: dict[str, Any] = {name: True for name, said in wanted.items() if said}
    found = tacit.curate(table, out=out, **switched, **numbers)
    return Answer(str(found), found.as_dict(), f"tacit pretrain {quote(str(out))} --out runs/curated")
