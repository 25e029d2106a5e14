"""DeepWalk, node2vec and LINE: that what is interrupted goes on as if nothing had been, and what they see of a graph."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tacit.data.networks.generated import communities
from tacit.data.networks.graph import Graph
from tacit.encoders.node_table import NodeTable
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.methods.cooccurrence import line
from tacit.methods.cooccurrence.deepwalk import DeepWalk
from tacit.methods.cooccurrence.line import LINE
from tacit.methods.cooccurrence.node2vec import Node2Vec
from tacit.numerics.walks import first_order
from tacit.parts import corpus
from tacit.parts.corpus import Corpus, rows_of
from tacit.pretraining import pretrain

METHODS = {DeepWalk: {"walks": 3, "length": 20}, Node2Vec: {"walks": 3, "length": 20, "away": 2.0}, LINE: {"draws": 20}}


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr(corpus, "WORDS", 3000)
    monkeypatch.setattr(line, "CHUNK", 3000)


def built(method, width=8, n=200):
    torch.manual_seed(0)
    facts = Facts("graph", n, (256,), {"nodes": n, "directed": False})
    made = method(NodeTable(facts, width=width), **METHODS[method])
    made.prepare(facts)
    return made


def steps(method, graph, most=10**9):
    """So many chunks of its solve, as the loop seeds it."""
    torch.manual_seed(1)
    samples = SimpleNamespace(source=SimpleNamespace(samples=SimpleNamespace(graph=graph)), device=torch.device("cpu"))
    with torch.no_grad():
        for done, _ in enumerate(method.solve(samples), 1):
            if done == most:
                return done
    return done


@pytest.mark.parametrize("method", METHODS)
def test_what_is_interrupted_goes_on_as_if_nothing_had_been(method):
    graph = communities(200).graph
    whole, first, second = built(method), built(method), built(method)
    assert steps(whole, graph) > 3
    steps(first, graph, 2)
    second.load_state_dict(first.state_dict())
    steps(second, graph)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert torch.isfinite(whole.encoder.rows).all()


def test_every_pass_of_a_corpus_starts_once_from_every_node():
    rows = rows_of(communities(200).graph, loops=False, weighted=False)
    made = Corpus(lambda starts, numbers: first_order(rows, starts, 9, 1, numbers), 200, 3, 9, 5)
    chunks = list(made.chunks())
    starts = np.concatenate([chunk.sentences[:, 0] for chunk in chunks]).reshape(3, 200)
    assert (np.sort(starts, 1) == np.arange(200)).all() and (starts[0] != starts[1]).any()
    np.testing.assert_array_equal(np.concatenate([chunk.numbers for chunk in chunks]), np.arange(600))
    np.testing.assert_array_equal(made.counts(), np.bincount(np.concatenate([c.sentences for c in chunks]).ravel()))
    rates = np.concatenate([chunk.rates for chunk in chunks])
    assert rates[0] == np.float32(0.025) and (np.diff(rates) <= 0).all() and rates[-1] >= 1e-4


def test_rows_join_repeated_edges_and_leave_out_loops():
    ends = np.array([[0, 0, 0, 1, 2], [1, 1, 0, 2, 0]])
    graph = Graph.of(*ends, 3, np.array([1.0, 2.0, 5.0, 1.0, 4.0]))
    rows = rows_of(graph, loops=True, weighted=True)
    assert rows.targets.tolist() == [0, 1, 2, 0] and rows.weights.tolist() == [5, 3, 1, 4]
    plain = rows_of(graph, loops=False, weighted=False)
    assert plain.targets.tolist() == [1, 2, 0] and plain.indptr.tolist() == [0, 1, 2, 3] and not len(plain.weights)


def test_lines_halves_have_length_one():
    method = built(LINE)
    steps(method, communities(200).graph)
    for half in method.encoder.rows.detach().chunk(2, 1):
        torch.testing.assert_close(half.norm(dim=1), torch.ones(200))


def test_mistakes_are_named():
    facts = Facts("graph", 200, (256,), {"nodes": 200})
    with pytest.raises(TacitError, match="even --width"):
        LINE(NodeTable(facts, width=7))
    with pytest.raises(TacitError, match="above 0"):
        Node2Vec(NodeTable(facts), back=0.0)
    with pytest.raises(TacitError, match="give a graph"):
        NodeTable(Facts("vector", 200, (4,)))
    with pytest.raises(TacitError, match="trained on 200 nodes"):
        NodeTable(facts).lookup(torch.tensor([3, 200]))


def test_options_of_a_recipe_that_would_do_nothing_are_refused(tmp_path):
    with pytest.raises(TacitError, match="so --epochs, --lr would do nothing"):
        pretrain(communities(60), "deepwalk", out=tmp_path / "run", epochs=3, lr=0.1, quiet=True)
    assert not (tmp_path / "run").exists()
