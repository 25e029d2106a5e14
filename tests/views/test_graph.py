"""Views of nodes: the whole graph, part of it, and that what is seen of a node is the same in both."""

import numpy as np
import pytest
import torch

from tacit.data.networks.graph import Graph, GraphNodes
from tacit.errors import TacitError
from tacit.views.graph import GraphViews, walked


def samples(signed: bool = False, directed: bool = False, weighted: bool = False) -> GraphNodes:
    rng = np.random.default_rng(3)
    ends = rng.integers(0, 50, (2, 150))
    x = rng.normal(size=(50, 8)).astype(np.float32) if signed else (rng.random((50, 8)) < 0.3).astype(np.uint8)
    graph = Graph.of(*ends, 50, rng.random(150) if weighted else None, x)
    return GraphNodes("it", graph if directed else graph.undirected, np.arange(50), [str(i) for i in range(50)])


def views(given: GraphNodes, **how) -> GraphViews:
    return GraphViews.fit(given.facts() | given.statistics(), **how)


def test_plain_is_the_whole_graph_as_it_is():
    given = samples()
    view, drawn = views(given).look(given.read(np.arange(50))[0], np.arange(50), 3, "plain")
    assert drawn == {} and view.edge_index.shape[1] == given.graph.edges and view.hops == -1
    sums = view.raw().sum(1)
    assert torch.allclose(sums[given.graph.features.sum(1) > 0], torch.tensor(1.0)) and view.shape == (50, 8)
    assert view.degree.tolist() == given.graph.backward.degrees.tolist()


def test_signed_features_are_standardised():
    given = samples(signed=True)
    x = views(given).look(given.read(np.arange(50))[0], np.arange(50), 3, "plain")[0].raw()
    assert torch.allclose(x.mean(0), torch.zeros(8), atol=1e-5) and torch.allclose(
        x.std(0, correction=0), torch.ones(8), atol=1e-4
    )


def test_edges_and_features_are_dropped_at_their_rates():
    given = samples()
    whole, options = given.read(np.arange(50))[0], views(given, drop_edges=0.4, drop_features=0.5)
    looks = [options.look(whole, np.arange(50), key)[0] for key in range(100)]
    assert abs(np.mean([look.edge_index.shape[1] for look in looks]) / given.graph.edges - 0.6) < 0.02
    masked = torch.stack([(look.raw() == 0).all(0) for look in looks]).float().mean()
    assert abs(masked - 0.5) < 0.06
    assert torch.equal(options.look(whole, np.arange(50), 4)[0].edge_index, looks[4].edge_index)


def test_a_sparse_view_is_the_dense_one(monkeypatch):
    given = samples()
    whole = given.read(np.arange(50))[0]
    dense = views(given).look(whole, np.arange(50), 5)[0]
    monkeypatch.setattr("tacit.numerics.sparse.FEW", 1.0)
    sparse = views(given := samples()).look(given.read(np.arange(50))[0], np.arange(50), 5)[0]
    assert sparse.x.layout == torch.sparse_csr and torch.equal(sparse.raw(), dense.raw())


@pytest.mark.parametrize("directed", [False, True])
def test_messages_go_along_the_edges(directed):
    given = samples(directed=directed)
    seen = views(given).look(given.read(np.array([7]))[0], np.array([7]), 0, "plain", hops=1)[0]
    from_whom = given.graph.sources[given.graph.indices == 7]
    assert len(seen.edge_index[0]) == len(from_whom)
    both = views(given, undirected=True).look(given.read(np.array([7]))[0], np.array([7]), 0, "plain", hops=1)[0]
    assert (both.edge_index.shape[1] > len(from_whom)) is directed


def test_by_diffusion_a_node_hears_where_walks_from_it_go():
    given = samples()
    whole = given.read(np.arange(50))[0]
    view = views(given, diffusion=0.2).look(whole, np.arange(50), 0, "plain")[0]
    assert view.weight.min() > 0 and (view.degree <= 1 + 1e-5).all() and (view.degree > 0.6).all()
    assert view.edge_index.shape[1] > given.graph.edges


def test_a_subgraph_is_connected_by_walks_and_of_its_share():
    given = samples()
    whole, options = given.read(np.arange(50))[0], views(given, drop_edges=0.0, drop_features=0.0, subgraph=0.5)
    looks = [options.look(whole, np.arange(50), key)[0] for key in (1, 2, 1)]
    inside = walked(given.graph, 0.5, 1)
    assert inside.sum() == 25 and not np.array_equal(inside, walked(given.graph, 0.5, 2))
    ends = looks[0].edge_index.numpy()
    among = inside[given.graph.sources] & inside[given.graph.indices]
    assert inside[ends].all() and ends.shape[1] == among.sum() < given.graph.edges
    assert torch.equal(looks[0].edge_index, looks[2].edge_index) and looks[0].shape == (50, 8)
    assert options.look(whole, np.arange(50), 1, "plain")[0].edge_index.shape[1] == given.graph.edges
    with pytest.raises(TacitError, match="leave --subgraph out, or give --batch 50"):
        options.look(given.read(np.array([7]))[0], np.array([7]), 1)


def test_a_subgraph_is_where_its_walks_went():
    """Two rings that nothing joins: half of the nodes, from one start, are mostly those of one ring."""
    ring = np.arange(400)
    ends = np.concatenate([np.stack([ring, (ring + 1) % 400]), 400 + np.stack([ring, (ring + 1) % 400])], 1)
    graph = Graph.of(ends[0], ends[1], 800, None, None).undirected
    inside = walked(graph, 0.1, 5)
    joined = (inside[graph.sources] & inside[graph.indices]).sum()
    even = np.random.default_rng(0).permutation(inside)
    assert joined > 2 * (even[graph.sources] & even[graph.indices]).sum()


def test_mistakes_are_named():
    given = samples()
    with pytest.raises(TacitError, match="did you mean 'drop_edges'"):
        views(given, drop_edge=0.1)
    with pytest.raises(TacitError, match="probability"):
        views(given, drop_features=2)
    with pytest.raises(TacitError, match="count from 1"):
        views(given, hops=0)
    with pytest.raises(TacitError, match="role"):
        views(given).look(given.read(np.arange(2))[0], np.arange(2), 0, "local")
    other = GraphNodes("it", Graph.of(np.array([0]), np.array([1]), 2), np.arange(2), ["a", "b"])
    with pytest.raises(TacitError, match="16 features came where 8"):
        views(given).look(other.read(np.arange(2))[0], np.arange(2), 0)


def test_unscaled_features_are_as_they_are():
    given = samples()
    content, everyone = given.read(np.arange(50))[0], np.arange(50)
    plain = views(given).but(scaled=False).look(content, everyone, 0, "plain")[0]
    part = views(given).but(scaled=False).look(given.read(np.arange(5))[0], np.arange(5), 0, "plain")[0]
    torch.testing.assert_close(plain.raw(), torch.from_numpy(np.asarray(given.graph.described, np.float32)))
    torch.testing.assert_close(part.raw(), plain.raw()[:5])
