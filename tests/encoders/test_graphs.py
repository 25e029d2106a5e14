"""The encoder of whole graphs."""

import numpy as np
import pytest
import torch

from tacit.encoders.graphs import GraphGIN
from tacit.errors import TacitError
from tacit.method import Facts
from tests.views.test_graphs import collection, views

pytest.importorskip("torch_geometric")


def test_a_graph_is_encoded_alike_in_every_batch():
    given = collection()
    encoder = GraphGIN(Facts("graphs", 30, (4,)), width=8).eval()
    looks = views(given)
    all_, one = (encoder(looks.look(given.read(i)[0], i, 0, "plain")[0]) for i in (np.arange(30), np.array([11])))
    assert all_.shape == (30, 24) and encoder.dim == 24 and torch.allclose(all_[11], one[0], atol=1e-4)


def test_another_kind_is_refused():
    with pytest.raises(TacitError, match="these data are of kind graph"):
        GraphGIN(Facts("graph", 30, (4,)))
