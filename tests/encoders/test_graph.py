"""Encoders of nodes: part of a graph gives what the whole gives, and each layer is the paper's."""

import numpy as np
import pytest
import torch

from tacit.encoders.graph import GAT, GCN, GIN, SAGE
from tacit.errors import TacitError
from tacit.method import Facts
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
