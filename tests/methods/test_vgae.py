"""VGAE's cost against the terms of the official code written out (tkipf/gae@0ebbe9b, gae/optimizer.py)."""

import numpy as np
import pytest
import torch

from tacit.data.networks.generated import communities
from tacit.encoders.graph import GCN
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.likelihood.vgae import VGAE
from tacit.pretraining import pretrain
from tacit.views.graph import GraphViews

pytest.importorskip("torch_geometric")


def built(divergence=1.0):
    given = communities(60)
    facts = given.facts() | given.statistics()
    index = np.random.default_rng(0).permutation(60)
    view, _ = GraphViews.fit(facts).look(given.read(index)[0], index, 0, "plain")
    torch.manual_seed(0)
    method = VGAE(GCN(Facts("graph", 60, (256,)), middle=16, width=8), divergence=divergence)
    return given, method, Batch([view], torch.from_numpy(index), key=3)


def test_the_cost_is_that_of_the_official_code():
    given, method, batch = built()
    mean, log_std = method.heads(batch.views[0])
    z = mean + batch.normal("z", 4) * log_std.exp()
    dense = torch.zeros(60, 60)
    dense[given.graph.sources, given.graph.indices.astype(int)] = 1
    dense = dense[batch.index][:, batch.index]
    n, total = 60, dense.sum()
    pos_weight, norm = (n * n - total) / total, n * n / ((n * n - total) * 2)
    labels, logits = dense + torch.eye(n), z @ z.T
    weighted = (1 - labels) * logits + (1 + (pos_weight - 1) * labels) * torch.nn.functional.softplus(-logits)
    kl = (0.5 / n) * (1 + 2 * log_std - mean.square() - (2 * log_std).exp()).sum(1).mean()
    terms = method.step(batch)
    assert torch.allclose(terms["edges"], norm * weighted.mean(), rtol=1e-5)
    assert torch.allclose(terms["divergence"][0], -kl, rtol=1e-4)


def test_without_divergence_it_is_the_autoencoder():
    _, method, batch = built(0.0)
    z = method.represent(batch)
    again = method.step(batch)
    assert z.shape == (60, 4) and again["divergence"][1] == 0
    assert torch.equal(method.step(batch)["edges"], again["edges"])


def test_mistakes_are_named():
    _, method, _ = built()
    with pytest.raises(TacitError, match="is directed"):
        method.prepare(Facts("graph", 60, (256,), {"directed": True}))
    with pytest.raises(TacitError, match="even --width"):
        VGAE(GCN(Facts("graph", 60, (256,)), middle=16, width=7))


def test_nodes_are_embedded_with_the_features_that_were_trained_on(tmp_path):
    run = pretrain(communities(60), "vgae", out=tmp_path / "run", epochs=1, device="cpu", quiet=True)
    assert run.views.scaled is False and run.config.views["scaled"] is False
    scaled = pretrain(communities(60), "vgae", out=tmp_path / "scaled", epochs=1, scaled=True, device="cpu", quiet=True)
    assert scaled.views.scaled is True
