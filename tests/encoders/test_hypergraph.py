"""The encoder of nodes of a hypergraph."""

import numpy as np
import pytest
import torch

from tacit.data.generated import groups
from tacit.encoders.hypergraph import UniGCNIIEncoder
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.views.hypergraph import HypergraphViews

SAMPLES = groups(60)
FACTS = {**SAMPLES.facts(), **SAMPLES.statistics()}


def plain(index):
    return HypergraphViews.fit(FACTS).look(SAMPLES.read(index)[0], index, 0, "plain")[0]


def test_a_node_is_told_alike_in_every_batch():
    encoder = UniGCNIIEncoder(Facts("hypergraph", 60, (64,), FACTS), width=16).eval()
    whole = encoder(plain(np.arange(60)))
    assert whole.shape == (60, 16) and encoder.dim == 16
    torch.testing.assert_close(encoder(plain(np.array([9, 2]))), whole[[9, 2]])


def test_gradient_reaches_every_parameter():
    torch.manual_seed(0)
    encoder = UniGCNIIEncoder(Facts("hypergraph", 60, (64,), FACTS))
    (encoder(plain(np.arange(60))) * torch.randn(60, encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


@pytest.mark.parametrize(("kind", "options"), [("vector", {}), ("hypergraph", {"width": 0}), ("hypergraph", {"dropout": 1.0})])
def test_mistakes_are_named(kind, options):
    with pytest.raises(TacitError):
        UniGCNIIEncoder(Facts(kind, 9, (7,)), **options)
