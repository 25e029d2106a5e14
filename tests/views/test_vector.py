"""Views of vectors: standardised, noisy, with features set to their mean."""

import numpy as np
import pytest
import torch

from tacit.data.samples import Vectors
from tacit.errors import TacitError
from tacit.views.vector import VectorViews

FACTS = {"shape": [3], "mean": [1.0, -2.0, 5.0], "std": [2.0, 0.5, 0.0]}


def test_plain_is_standardised_and_a_constant_feature_is_zero():
    x, drawn = VectorViews.fit(FACTS).look(Vectors(torch.tensor([[3.0, -2.5, 5.0]])), np.array([0]), 0, "plain")
    assert x.tolist() == [[1.0, -1.0, 0.0]] and drawn == {}


def test_noise_and_dropping_have_their_size():
    n = 5000
    given = Vectors(torch.tensor([[3.0, -2.5, 5.0]]).expand(n, 3))
    x, drawn = VectorViews.fit(FACTS, noise=0.3, drop=0.2).look(given, np.arange(n), 7)
    assert abs(drawn["dropped"].float().mean().item() - 0.2) < 0.02
    assert (x[drawn["dropped"]] == 0).all()
    rest = (x - torch.tensor([1.0, -1.0, 0.0]))[~drawn["dropped"]]
    assert abs(rest.mean().item()) < 0.02 and abs(rest.std().item() - 0.3) < 0.01


def test_a_view_depends_on_its_sample_alone():
    given, index = torch.randn(9, 3), np.arange(50, 59)
    views = VectorViews.fit(FACTS)
    whole, _ = views.look(Vectors(given), index, 1)
    assert torch.equal(views.look(Vectors(given[[5, 0]]), index[[5, 0]], 1)[0], whole[[5, 0]])


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="did you mean 'noise'"):
        VectorViews.fit(FACTS, nois=1)
    with pytest.raises(TacitError, match="probability"):
        VectorViews.fit(FACTS, drop=2)
    with pytest.raises(TacitError, match="role"):
        VectorViews.fit(FACTS).look(Vectors(torch.zeros(1, 3)), np.array([0]), 0, "local")
    with pytest.raises(TacitError, match="4 features"):
        VectorViews.fit(FACTS).look(Vectors(torch.zeros(1, 4)), np.array([0]), 0)
