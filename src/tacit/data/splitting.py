"""Which samples are learned from and which are kept for judging: as the source declares, else by hash of the id."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from tacit.data.samples import Samples
from tacit.errors import TacitError

TEST = 0.2  # the share kept for judging where the source does not say


def by_hash(ids: Iterable[str], test: float = TEST, seed: int = 0) -> np.ndarray:
    """ "train" or "test" for each id. It depends on the id alone, so adding samples moves none from one side to the other."""
    return np.where(_shares(ids, seed) < test, "test", "train")


def splits(samples: Samples, test: float = TEST, seed: int = 0) -> tuple[Samples, Samples, str]:
    """The samples to learn from, those to judge by, and a sentence that says how they were told apart.

    A declared train and test are taken as they are, and a val beside them is left out of both; where there is no test, val
    is the test. Without these two sides the split is by hash of the id; each side then gets at least one sample.
    """
    if len(samples) < 2:
        raise TacitError(f"{samples.source} holds {len(samples)} sample; a split needs at least 2: give more.")
    declared = set() if samples.splits is None else {str(name) for name in np.unique(samples.splits)}
    held = "test" if "test" in declared else "val"
    if {"train", held} <= declared:
        train, kept = samples.split("train"), samples.split(held)
        aside = f", {np.count_nonzero(samples.splits == 'val')} val left out" if held == "test" and "val" in declared else ""
        return train, kept, f"declared by the source: {len(train)} train, {len(kept)} {held}{aside}"
    shares = _shares(samples.ids, seed)
    is_test = shares < np.clip(test, shares.min() + 1e-12, shares.max())
    train, kept = samples.take(np.flatnonzero(~is_test)), samples.take(np.flatnonzero(is_test))
    return train, kept, f"{test:.0%} for testing by hash of the id (seed {seed}): {len(train)} train, {len(kept)} test"


def _shares(ids: Iterable[str], seed: int) -> np.ndarray:
    """A number in [0, 1) for each id."""
    prefix = f"{seed}\0".encode()
    digests = (blake2b(prefix + name.encode("utf-8", "surrogateescape"), digest_size=8).digest() for name in ids)
    return np.fromiter((int.from_bytes(digest, "little") for digest in digests), np.uint64) / 2.0**64
