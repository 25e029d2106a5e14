"""Personalised PageRank of every node of a graph, sparse: how much of a walk that often returns home is spent where."""

import numba
import numpy as np

from tacit.numerics.neighbours import Rows

PRECISION = 1e-4  # of the mass that may be left unspread at a node, per edge of it


def diffuse(rows: Rows, teleport: float, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `most` nodes that each node's walk visits most: sources, targets and shares, E each, the node itself among them.

    A walk returns home with probability `teleport` at each step, and stays at a node without edges. By forward push (Andersen,
    Chung, Lang 2006, "Local graph partitioning using PageRank vectors", section 3), so that a share lacks at most
    PRECISION times the node's degree. Weights of edges are not used.
    """
    sizes, targets, shares = _push(rows.indptr, rows.indices, teleport, most, PRECISION)
    return np.repeat(np.arange(len(sizes)), sizes), targets, shares


@numba.njit(cache=True, nogil=True)
def _push(indptr, indices, teleport, most, precision):
    n = len(indptr) - 1
    sizes = np.zeros(n, np.int64)
    targets, shares = np.empty(n * most, np.int64), np.empty(n * most, np.float32)
    rest, found, waits = np.zeros(n), np.zeros(n), np.zeros(n, np.bool_)
    at = 0
    for home in range(n):
        met, queue = [home], [home]
        rest[home], waits[home], head = 1.0, True, 0
        while head < len(queue):
            node = queue[head]
            head += 1
            waits[node] = False
            mass, degree = rest[node], indptr[node + 1] - indptr[node]
            rest[node] = 0.0
            found[node] += mass if degree == 0 else teleport * mass
            for entry in range(indptr[node], indptr[node + 1]):
                other = indices[entry]
                if rest[other] == 0.0 and found[other] == 0.0:
                    met.append(other)
                rest[other] += (1.0 - teleport) * mass / degree
                if not waits[other] and rest[other] > precision * max(indptr[other + 1] - indptr[other], 1):
                    waits[other] = True
                    queue.append(other)
        seen = np.unique(np.array(met))
        order = seen[np.argsort(-found[seen], kind="mergesort")][:most]
        for node in order:
            if found[node] > 0.0:
                targets[at], shares[at] = node, found[node]
                at += 1
                sizes[home] += 1
        rest[seen], found[seen], waits[seen] = 0.0, 0.0, False
    return sizes, targets[:at].copy(), shares[:at].copy()
