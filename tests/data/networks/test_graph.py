"""The adjacency in compressed rows, and what it says of its own trouble."""

import numpy as np
import pytest
import torch

from tacit.data.networks.graph import Graph, GraphNodes
from tacit.errors import TacitError


def path() -> Graph:
    """0 – 1 – 2, a loop at 2, 3 alone."""
    return Graph.of(np.array([1, 0, 2, 1, 2]), np.array([0, 1, 1, 2, 2]), 4)


def test_rows_are_sorted_and_hold_the_edges():
    graph = path()
    assert graph.indptr.tolist() == [0, 1, 3, 5, 5] and graph.indices.tolist() == [1, 0, 2, 1, 2]
    assert graph.sources.tolist() == [0, 1, 1, 2, 2] and not graph.directed and graph.backward is graph


def test_weights_go_with_their_edges():
    graph = Graph.of(np.array([1, 0, 0]), np.array([0, 2, 1]), 3, np.array([5.0, 7.0, 6.0]))
    assert graph.indices.tolist() == [1, 2, 0] and graph.weights.tolist() == [6, 7, 5]
    assert graph.backward.indices.tolist() == [1, 0, 0] and graph.backward.weights.tolist() == [5, 6, 7]
    both = graph.undirected
    assert not both.directed and both.edges == 4 and both.weights.tolist() == [6, 7, 5, 7]


def test_trouble_is_counted_and_nothing_is_changed():
    graph = Graph.of(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 2]), 4)
    assert graph.trouble == {"self-loops": 1, "repeated edges": 1, "isolated nodes": 1} and graph.edges == 4
    assert Graph.of(np.array([0]), np.array([1]), 2).trouble == {"edges without their reverse": 1}


def test_edges_that_dangle_are_refused():
    with pytest.raises(TacitError, match="1 edges of it end at a node that it does not have"):
        Graph.of(np.array([0, 0]), np.array([1, 9]), 2, source="it")


def test_part_of_the_nodes_is_in_the_whole_graph():
    graph = path()
    samples = GraphNodes("a path", graph, np.arange(4), ["a", "b", "c", "d"], np.array([0, 1, 0, -1]), ("x", "y"))
    part = samples.take(np.array([2, 0]))
    content, bad = part.read(np.array([1, 0]))
    assert not bad and content.graph is graph and torch.equal(content.index, torch.tensor([0, 2]))
    assert list(part.ids) == ["c", "a"] and part.labels.tolist() == [0, 0] and len(part) == 2
    assert part.facts() == {"kind": "graph", "shape": [16], "nodes": 4, "edges": 5, "directed": False}
    assert part.statistics() == {"signed": False}
