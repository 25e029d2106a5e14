"""Encoders of nodes: part of a graph gives what the whole gives, and each layer is the paper's."""

import numpy as np
import pytest
import torch

from tacit.data.networks.generated import communities
from tacit.encoders.graph import GAT, GCN, GIN, SAGE
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.numerics.sparse import dense
from tests.views.test_graph import samples, views

pytest.importorskip("torch_geometric")
FACTS = Facts("graph", 50, (8,))


@pytest.mark.parametrize("cls", [GCN, SAGE, GAT, GIN])
def test_part_of_a_graph_gives_what_the_whole_gives(cls):
    for given in (samples(), samples(directed=True), samples(signed=True, weighted=True)):
        torch.manual_seed(0)
        encoder = cls(FACTS, middle=8, width=4).eval()
        looks = views(given)
        whole = encoder(looks.look(given.read(np.arange(50))[0], np.arange(50), 0, "plain")[0])
        asked = np.array([31, 4, 17])
        part = encoder(looks.look(given.read(asked)[0], asked, 0, "plain")[0])
        assert part.shape == (3, 4) and torch.allclose(part, whole[asked], atol=1e-5)


@pytest.mark.parametrize("cls", [GCN, SAGE, GAT, GIN])
def test_features_in_compressed_rows_give_what_whole_ones_give(cls):
    """The same answer, and the same gradient of every weight, whether few features are held or all."""
    torch.manual_seed(0)
    encoder = cls(FACTS, middle=8, width=4)
    given = samples()
    view = views(given).look(given.read(np.arange(50))[0], np.arange(50), 0, "plain")[0]
    whole = view._replace(x=dense(view.x))
    answers, gradients = [], []
    for seen in (whole, view._replace(x=whole.x.to_sparse_csr())):
        encoder.zero_grad()
        answer = encoder(seen)
        answer.square().sum().backward()
        answers.append(answer.detach())
        gradients.append([weight.grad.clone() for weight in encoder.parameters()])
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-4, atol=1e-5)
    for one, other in zip(*gradients):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_a_random_view_of_a_node_is_the_same_in_every_batch():
    given, encoder = samples(), GCN(FACTS, middle=8, width=4)
    looks = views(given, fanout=3)

    def seen(asked):
        return encoder(looks.look(given.read(np.array(asked))[0], np.array(asked), 11)[0])

    assert torch.allclose(seen([4, 9])[0], seen([30, 2, 4])[2], atol=1e-6)


def test_gcn_is_the_normalised_adjacency_with_loops():
    given, encoder = samples(), GCN(FACTS, middle=8, width=4, depth=1)
    view = views(given).look(given.read(np.arange(50))[0], np.arange(50), 0, "plain")[0]
    adjacency = torch.zeros(50, 50).index_put_(
        (view.edge_index[1], view.edge_index[0]), view.weight, accumulate=True
    ) + torch.eye(50)
    scale = adjacency.sum(1).rsqrt()
    (layer,) = encoder.layers
    wanted = (scale[:, None] * adjacency * scale) @ view.x.to_dense() @ layer.lin.weight.T + layer.bias
    assert torch.allclose(encoder(view), wanted.relu(), atol=1e-5)


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="did you mean 'relu'"):
        GCN(FACTS, activation="rely")
    with pytest.raises(TacitError, match="multiples of the 3 heads"):
        GAT(FACTS, heads=3)
    with pytest.raises(TacitError, match="data of kind image"):
        SAGE(Facts("image", 5, (3, 8, 8)))
    given = samples()
    with pytest.raises(TacitError, match="give --hops 3"):
        GCN(FACTS, depth=3)(views(given).look(given.read(np.arange(3))[0], np.arange(3), 0)[0])


def test_gcn_is_that_of_torch_geometric():
    from torch_geometric.nn import GCNConv

    given, encoder = (
        communities(50, words=8),
        GCN(FACTS, middle=8, width=4),
    )  # without self-loops, which theirs counts as its own
    view = views(given).look(given.read(np.arange(50))[0], np.arange(50), 2)[0]
    x = view.x.to_dense()
    for layer in encoder.layers:
        theirs = GCNConv(*layer.lin.weight.T.shape)
        theirs.load_state_dict(layer.state_dict())
        x = theirs(x, view.edge_index).relu()
    assert torch.allclose(encoder(view), x, atol=1e-5)
