"""Sampled neighbourhoods: whole where nothing is drawn, the same for a node whatever else is asked for."""

import numpy as np
import pytest

from tacit.data.networks.graph import Graph
from tacit.numerics.neighbours import reach


@pytest.fixture(scope="module")
def graph() -> Graph:
    rng = np.random.default_rng(0)
    return Graph.of(*rng.integers(0, 60, (2, 500)), 60).undirected


def edges(seen, hops=1):
    """In numbers of the graph."""
    return {(int(seen.nodes[a]), int(seen.nodes[b])) for a, b in seen.ends.T}


def test_without_drawing_everything_within_reach_is_there(graph):
    seen = reach(graph, np.array([5, 3]), 1, 0, 0.0, 0)
    assert seen.nodes[seen.rows].tolist() == [5, 3]
    wanted = {(int(j), i) for i in (5, 3) for j in graph.indices[graph.indptr[i] : graph.indptr[i + 1]]}
    assert edges(seen) == wanted and (seen.degrees == graph.degrees[seen.nodes]).all()


def test_a_node_draws_the_same_whatever_else_is_asked_for(graph):
    def drawn(asked):
        seen = reach(graph, np.array(asked), 2, 4, 0.3, 7)
        node = seen.rows[asked.index(9)]
        near = seen.ends[0][seen.ends[1] == node]
        return [sorted(seen.nodes[near].tolist())] + [
            sorted(seen.nodes[seen.ends[0][seen.ends[1] == other]].tolist())
            for other in sorted(near, key=lambda i: seen.nodes[i])
        ]

    assert drawn([9]) == drawn([1, 9, 40]) == drawn([40, 2, 3, 9])


def test_at_most_so_many_are_drawn_without_replacement_and_all_alike(graph):
    hub = int(graph.degrees.argmax())
    counts = np.zeros(len(graph))
    for key in range(600):
        seen = reach(graph, np.array([hub]), 1, 5, 0.0, key)
        found = seen.nodes[seen.ends[0]]
        assert len(found) == 5 and seen.degrees[seen.rows[0]] == 5
        counts += np.bincount(found, minlength=len(graph))
    near, how_often = np.unique(graph.indices[graph.indptr[hub] : graph.indptr[hub + 1]], return_counts=True)
    share = counts[near] / (600 * 5 / graph.degrees[hub] * how_often)
    assert (np.abs(share - 1) < 0.25).all() and counts.sum() == counts[near].sum() == 3000


def test_edges_are_dropped_at_the_rate(graph):
    kept = [reach(graph, np.arange(60), 1, 0, 0.3, key).ends.shape[1] for key in range(20)]
    assert abs(np.mean(kept) / graph.edges - 0.7) < 0.02
