"""Views of whole graphs: side by side, with nodes, edges and features dropped, the same in every batch."""

import numpy as np
import pytest
import torch

from tacit.data.networks.collections import GraphCollection, from_arrays
from tacit.errors import TacitError
from tacit.views.graphs import GraphsViews


def collection(graphs: int = 30) -> GraphCollection:
    rng = np.random.default_rng(0)
    sizes = rng.integers(3, 12, graphs)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rings = [np.stack([at + np.arange(n), at + (np.arange(n) + 1) % n]) for at, n in zip(starts, sizes)]
    ends = np.concatenate(rings, 1)
    arrays = {"edge_index": np.concatenate([ends, ends[::-1]], 1), "batch": np.repeat(np.arange(graphs), sizes)}
    return from_arrays({**arrays, "x": rng.random((sizes.sum(), 4)).astype(np.float32), "y": sizes % 2}, "rings")


def views(given, **how):
    return GraphsViews.fit(given.facts() | given.statistics(), **how)


def test_plain_is_the_graphs_side_by_side():
    given, index = collection(), np.array([7, 2, 7])
    view, drawn = views(given).look(given.read(index)[0], index, 0, "plain")
    sizes = np.diff(given.union.starts)[index]
    assert drawn == {} and view.shape == (3, 4) and view.graph.bincount().tolist() == sizes.tolist()
    assert (
        view.edge_index.shape[1] == 2 * sizes.sum() and (view.graph[view.edge_index[0]] == view.graph[view.edge_index[1]]).all()
    )
    first = given.union.starts[7]
    assert torch.allclose(view.x[: sizes[0]], torch.from_numpy(given.union.whole.features[first : first + sizes[0]]))
    assert torch.allclose(view.raw()[0], view.raw()[2]) and view.raw()[1, 4] == 2 * sizes[1]


def test_parts_are_dropped_at_their_rates():
    given, index = collection(), np.arange(30)
    whole = given.read(index)[0]
    nodes, edges = len(given.union.whole), given.union.whole.edges
    options = views(given, drop_nodes=0.3, drop_edges=0.0)
    looks = [options.look(whole, index, key)[0] for key in range(60)]
    assert abs(np.mean([len(look.x) for look in looks]) / nodes - 0.7) < 0.03
    assert abs(np.mean([look.edge_index.shape[1] for look in looks]) / edges - 0.49) < 0.04
    fewer = [views(given, drop_nodes=0.0, drop_edges=0.4, mask_nodes=0.5).look(whole, index, key)[0] for key in range(60)]
    assert abs(np.mean([look.edge_index.shape[1] for look in fewer]) / edges - 0.6) < 0.03
    assert abs(np.mean([float((look.x == 0).all(1).float().mean()) for look in fewer]) - 0.5) < 0.03
    for look in fewer[:3]:  # an edge goes in both directions or in none
        pairs = set(map(tuple, look.edge_index.T.tolist()))
        assert all((b, a) in pairs for a, b in pairs)


def test_a_node_stays_of_every_graph_and_a_view_is_its_own():
    given = collection()
    bare = views(given, drop_nodes=1.0).look(given.read(np.arange(30))[0], np.arange(30), 0)[0]
    assert bare.graph.tolist() == list(range(30)) and bare.edge_index.shape[1] == 0
    options = views(given)
    one, some = (options.look(given.read(np.array(i))[0], np.array(i), 5)[0] for i in ([9], [3, 9, 1]))
    assert torch.equal(one.x, some.x[some.graph == 1])


def test_mistakes_are_named():
    given = collection()
    with pytest.raises(TacitError, match="probability"):
        views(given, drop_nodes=1.5)
    with pytest.raises(TacitError, match="role"):
        views(given).look(given.read(np.arange(2))[0], np.arange(2), 0, "local")
    with pytest.raises(TacitError, match="4 features came where 16"):
        GraphsViews((), (), 16).look(given.read(np.arange(2))[0], np.arange(2), 0)
