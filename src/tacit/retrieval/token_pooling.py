"""Token pooling: fewer vectors for a document of many, at indexing alone.

Clavié, Chaffin, Adams 2024 (arXiv:2409.14683), section 2: a document's token vectors are grouped, and a group's mean stands for
it; questions and their scores (`late_interaction`) stay as they are. Groups are Ward's, or k-means', or of tokens in a row.

checked: stanford-futuredata/ColBERT@501c29d
Compared: the means, but for their order; that commit shuffles tokens first. k-means and rows of tokens are in the paper alone.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.method import Paper, Ragged
from tacit.numerics.exact import unit

paper = Paper(
    "Reducing the Footprint of Multi-Vector Retrieval with Minimal Performance Impact via Token Pooling",
    "Clavié, Chaffin, Adams",
    2024,
    "arXiv:2409.14683",
)

Group = Callable[[Tensor, int], np.ndarray]  # rows of length one, t × d, and how many groups -> the group of each, t


def ward(rows: Tensor, groups: int) -> np.ndarray:
    """Ward's hierarchy, cut at so many groups, of the rows of the t × t matrix of 1 − cosine, each a point of t numbers.

    So it is in ColBERT's code, the authors' own; PyLate's today takes the distances themselves, whose groups are others.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    return fcluster(linkage(pdist((1 - rows @ rows.T).double().numpy()), method="ward"), groups, criterion="maxclust") - 1


def by_kmeans(rows: Tensor, groups: int) -> np.ndarray:
    """The nearest of so many centroids, which begin at tokens evenly apart."""
    from tacit.numerics.kmeans import lloyd
    from tacit.numerics.tiling.nearest_one import nearest_one

    evenly = torch.linspace(0, len(rows) - 1, groups).round().long()
    return nearest_one(rows, lloyd(rows, rows[evenly].clone(), 20))[0].numpy()


def in_a_row(rows: Tensor, groups: int) -> np.ndarray:
    """Neighbours in the text, in so many groups of sizes that differ by one at most."""
    return np.arange(len(rows)) * groups // len(rows)


def pooled(documents: Ragged, factor: int, *, group: Group = ward, protected: int = 0, renormalise: bool = False) -> Ragged:
    """Of each document's t token vectors about t / factor: means of groups, in the order of their first tokens.

    documents    values (tokens × d, on a CPU) and offsets; compared by cosine, averaged at length one
    protected    so many first tokens stay as they are, and stand first; they do not count among t
    renormalise  bring means to length one: ColPali's code does, ColBERT's and PyLate's do not

    Groups are max(1, t // factor), less where fewer come out. A factor of 1 changes nothing. Each document is grouped
    by itself, one after another; Ward's hierarchy costs t².
    """
    if factor < 1 or protected < 0:
        raise TacitError(f"factor is {factor} and protected {protected}; the factor counts from 1, protected tokens from 0.")
    if factor == 1:
        return documents
    rows = unit(documents.values)
    labels: list[np.ndarray] = []
    counts: list[int] = []
    for start, end in zip(documents.offsets[:-1].tolist(), documents.offsets[1:].tolist()):
        kept = min(protected, end - start)
        rest = end - start - kept
        mine = np.arange(rest)
        if (groups := max(1, rest // factor)) < rest:
            found = group(rows[start + kept : end], groups)
            _, first, mine = np.unique(found, return_index=True, return_inverse=True)
            mine = first.argsort().argsort()[mine]
        labels.append(sum(counts) + np.concatenate([np.arange(kept), kept + mine]))
        counts.append(kept + (int(mine.max()) + 1 if rest else 0))
    owner = torch.from_numpy(np.concatenate([*labels, np.zeros(0)]).astype(np.int64))
    size = torch.bincount(owner, minlength=sum(counts))[:, None]
    means = rows.new_zeros(sum(counts), rows.shape[1]).index_add_(0, owner, rows) / size
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), torch.tensor(counts, dtype=torch.int64).cumsum(0)])
    return Ragged(unit(means) if renormalise else means, offsets)
