"""Views of hypergraphs: what is dropped, and that a view does not depend on the batch."""

import numpy as np
import pytest
import torch

from tacit.data.generated import groups
from tacit.data.networks.hypergraph import Members
from tacit.errors import TacitError
from tacit.views.hypergraph import HypergraphViews

SAMPLES = groups(300)
FACTS = {**SAMPLES.facts(), **SAMPLES.statistics()}
ALL = np.arange(len(SAMPLES))


def look(views: HypergraphViews, index: np.ndarray = ALL, key: int = 1, role: str = "global"):
    return views.look(SAMPLES.read(index)[0], index, key, role)[0]


def test_plain_is_the_whole():
    view, graph = look(HypergraphViews.fit(FACTS), role="plain"), SAMPLES.hypergraph
    assert np.array_equal(view.members, graph.members) and np.array_equal(view.whole, [graph.members, graph.edges])
    assert torch.equal(view.raw(), torch.from_numpy(graph.features)) and view.rows.tolist() == ALL.tolist()


def test_hyperedges_are_dropped_whole_and_as_many_as_asked():
    view = look(HypergraphViews.fit(FACTS, drop_hyperedges=0.4, drop_members=0, drop_entries=0))
    left = set(view.edges.tolist())
    present = set(view.whole[1].tolist())
    assert len(present) - len(left) <= 0.4 * view.hyperedges and len(left) <= 0.6 * view.hyperedges
    sizes = torch.bincount(view.whole[1])
    assert all((view.edges == e).sum() == sizes[e] for e in left)


def test_members_and_entries_are_dropped_at_their_rates():
    view = look(HypergraphViews.fit(FACTS, drop_hyperedges=0, drop_members=0.3, drop_entries=0.25))
    assert abs(len(view.members) / view.whole.shape[1] - 0.7) < 0.05
    given = torch.from_numpy(SAMPLES.hypergraph.features)
    assert (view.raw() <= given).all() and abs(float(view.raw().sum() / given.sum()) - 0.75) < 0.04


def test_sparse_and_dense_features_are_seen_alike(monkeypatch):
    monkeypatch.setattr("tacit.numerics.sparse.FEW", 1.0)
    content = SAMPLES.read(ALL)[0]
    fresh = Members(
        content.rows,
        type(content.hypergraph)(*(getattr(content.hypergraph, n) for n in ("members", "edges", "n", "m", "features"))),
    )
    view, _ = HypergraphViews.fit(FACTS).look(fresh, ALL, 1, "plain")
    assert view.x.layout == torch.sparse_csr and torch.equal(view.raw(), look(HypergraphViews.fit(FACTS), role="plain").raw())
    masked, _ = HypergraphViews.fit(FACTS, drop_entries=0.25).look(fresh, ALL, 1)
    assert abs(float(masked.raw().sum() / view.raw().sum()) - 0.75) < 0.04


def test_a_view_depends_on_the_key_and_not_on_the_batch():
    views = HypergraphViews.fit(FACTS)
    one, part, other = look(views), look(views, np.array([7, 3])), look(views, key=2)
    assert torch.equal(one.members, part.members) and torch.equal(one.raw()[[7, 3]], part.raw()) and part.shape == (2, 64)
    assert not torch.equal(one.raw(), other.raw()) and part.all().rows.tolist() == ALL.tolist()


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="did you mean 'drop_members'"):
        HypergraphViews.fit(FACTS, drop_member=1)
    with pytest.raises(TacitError, match="share"):
        HypergraphViews.fit(FACTS, drop_entries=2)
    with pytest.raises(TacitError, match="role"):
        look(HypergraphViews.fit(FACTS), role="local")
    with pytest.raises(TacitError, match="64 features came where 9"):
        look(HypergraphViews.fit({**FACTS, "shape": [9]}))
