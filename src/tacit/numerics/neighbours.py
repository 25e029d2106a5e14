"""Which nodes a few nodes of a graph can hear of: sampled neighbourhoods in compressed rows, drawn by counter."""

from typing import NamedTuple, Protocol

import numba
import numpy as np

from tacit.numerics import counter


class Rows(Protocol):
    """A graph of N nodes in compressed rows."""

    @property
    def indptr(self) -> np.ndarray: ...  # int64, N + 1

    @property
    def indices(self) -> np.ndarray: ...  # E

    @property
    def weights(self) -> np.ndarray | None: ...  # float32, E


class Reached(NamedTuple):
    """A part of a graph, its m nodes numbered from 0 in the order in which they were reached."""

    nodes: np.ndarray  # int64, m: their numbers in the graph
    ends: np.ndarray  # int64, 2 × E: from where and to where messages go
    weights: np.ndarray  # float32, E
    degrees: np.ndarray  # float32, m: the weight of a node's edges after dropping and drawing, reached or not
    rows: np.ndarray  # int64, n: the nodes that were asked for


def reach(incoming: Rows, asked: np.ndarray, hops: int, fanout: int, drop: float, key: int) -> Reached:
    """All edges on which messages reach the nodes asked for within `hops` steps.

    incoming  row i holds the edges that lead to node i
    fanout    so many edges of a node are drawn, without replacement (Floyd's method); 0: all
    drop      probability that an edge of those is then dropped

    A node's edges are drawn by (key, node) and an edge is dropped by (key, edge), so the result for a node depends neither on
    the other nodes asked for nor on their order: it is the whole graph with at most `fanout` edges per node, seen from there.
    """
    asked = np.ascontiguousarray(asked, np.int64)
    local: np.ndarray = np.full(len(incoming.indptr) - 1, -1, np.int64)
    nodes, rows = _number(local, np.zeros(0, np.int64), asked)
    ends, picked, degrees, done = [], [], [], 0
    for hop in range(hops + 1):
        frontier = nodes[done:]
        entries, owners = _edges(incoming, frontier, fanout, drop, key)
        weights = np.ones(len(entries), np.float32) if incoming.weights is None else incoming.weights[entries]
        degrees.append(np.bincount(owners, weights, len(frontier)).astype(np.float32))
        if hop == hops:
            break
        nodes, sources = _number(local, nodes, incoming.indices[entries].astype(np.int64))
        ends.append(np.stack([sources, owners + done]))
        picked.append(weights)
        done += len(frontier)
    return Reached(nodes, np.concatenate(ends, 1), np.concatenate(picked), np.concatenate(degrees), rows)


def _edges(incoming: Rows, frontier: np.ndarray, fanout: int, drop: float, key: int) -> tuple[np.ndarray, np.ndarray]:
    """The entries that the nodes of a frontier draw, and whose each is, by place in the frontier."""
    draws = counter.uniform(counter.key(key, "neighbours"), frontier, fanout)
    entries, owners = _pick(incoming.indptr, frontier, fanout, draws)
    if not drop:
        return entries, owners
    stays = counter.uniform(counter.key(key, "edges"), entries, 1)[:, 0] >= drop
    return entries[stays], owners[stays]


@numba.njit(cache=True, nogil=True)
def _pick(indptr, frontier, fanout, draws):
    total = 0
    for node in frontier:
        degree = indptr[node + 1] - indptr[node]
        total += degree if fanout == 0 else min(degree, fanout)
    entries, owners, at = np.empty(total, np.int64), np.empty(total, np.int64), 0
    for place in range(len(frontier)):
        first = indptr[frontier[place]]
        degree = indptr[frontier[place] + 1] - first
        begin = at
        if fanout == 0 or degree <= fanout:
            for step in range(degree):
                entries[at] = first + step
                at += 1
        else:
            for step in range(fanout):
                last = degree - fanout + step
                drawn = first + min(np.int64(draws[place, step] * (last + 1)), last)
                for other in range(begin, at):
                    if entries[other] == drawn:
                        drawn = first + last
                        break
                entries[at] = drawn
                at += 1
        owners[begin:at] = place
    return entries, owners


def _number(local: np.ndarray, nodes: np.ndarray, met: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nodes with those added that were not met before, and the local number of each that was met now."""
    numbers, fresh = _numbered(local, len(nodes), met)
    return np.concatenate([nodes, fresh]), numbers


@numba.njit(cache=True, nogil=True)
def _numbered(local, count, met):
    numbers, fresh, new = np.empty(len(met), np.int64), np.empty(len(met), np.int64), 0
    for i in range(len(met)):
        if local[met[i]] < 0:
            local[met[i]] = count + new
            fresh[new] = met[i]
            new += 1
        numbers[i] = local[met[i]]
    return numbers, fresh[:new].copy()
