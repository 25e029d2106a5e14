"""Near duplicates found by several workers, each of which holds all rows: exactly what `duplicates.near_duplicates` finds."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from tacit.curation.duplicates import BLOCK, Duplicates, Near, compare, decide, prepared


class Part(NamedTuple):
    """What one worker is to compare."""

    start: int  # of the block
    share: int  # which of the block's tiles: number share, share + shares, …
    shares: int
    kept: np.ndarray  # uint8: of the rows before the block, a bit each, which are kept


class Comparing:
    """A worker: parts of a block in, near pairs out. It catches up with what was decided since it was last asked."""

    def __init__(self, x: Tensor, threshold: float):
        self.x, self.threshold = x, threshold
        self.kept, self.asking = prepared(x, threshold)
        self.upto = 0  # rows whose fate it knows

    def __call__(self, part: Part) -> list[Near]:
        if self.upto > part.start:  # a worker that is asked again, since another died
            self.kept, self.asking = prepared(self.x, self.threshold)
            self.upto = 0
        stays = np.unpackbits(part.kept, count=part.start).astype(bool)
        of = np.where(stays, -1, 0)
        for start in range(self.upto, part.start, BLOCK):
            self.kept.add(start, of)
        self.upto = part.start
        tiles = self.kept.with_block(part.start, self.asking(part.start))
        found = [compare(self.x, self.kept, tile, self.threshold) for tile in tiles[part.share :: part.shares]]
        return [some for some in found if len(some.rows)]


def near_duplicates_by(each: Callable[[Iterable[Any]], Iterator[Any]], n: int, shares: int) -> Duplicates:
    """As `near_duplicates` of n rows, by workers (`Comparing`): block after block, each shared out among them.

    What a block's rows repeat is decided here, in order, so that the answer does not depend on how it is shared out. A block
    costs a bit for each row before it to every worker.
    """
    of, cosine = np.full(n, -1), np.full(n, np.nan, np.float32)
    for start in range(0, n, BLOCK):
        kept = np.packbits(of[:start] < 0)
        found = each(Part(start, share, shares, kept) for share in range(shares))
        decide([near for some in found for near in some], start, of, cosine)
    return Duplicates(of, cosine)
