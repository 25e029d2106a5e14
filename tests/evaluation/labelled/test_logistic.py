"""One-vs-rest heads where features are more than samples are those of the long way, and liblinear's."""

import pytest
import torch

from tacit.evaluation.labelled.logistic import one_vs_rest, scores


def few(n=20, d=60, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g, dtype=torch.float64)
    return x, (torch.arange(n) % 3)[:, None] == torch.arange(3)


def slope(weights, x, y, cost):
    """Of ½ ‖w‖² + C Σ log(1 + exp(−y w·x)), the bias penalised too."""
    whole = torch.nn.functional.pad(x, (0, 1), value=1.0)
    return weights + cost * ((whole @ weights.T).sigmoid() - y.double()).T @ whole


@pytest.mark.parametrize("d", [5, 19, 20, 60])
def test_heads_are_where_the_slope_is_none(d):
    x, y = few(d=d)
    for weights, cost in zip(one_vs_rest(x, y, (0.25, 8.0)), (0.25, 8.0)):
        assert float(slope(weights, x, y, cost).abs().max()) < 1e-6


def test_features_that_say_nothing_change_nothing():
    x, y = few(d=10)
    more = torch.nn.functional.pad(x, (0, 40))
    found, wanted = scores(one_vs_rest(more, y), more), scores(one_vs_rest(x, y), x)
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_heads_are_liblinears():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = few(d=60)
    for cost in (0.5, 16.0):
        (heads,) = one_vs_rest(x, y, (cost,))
        for head, target in zip(heads, y.T):
            model = linear_model.LogisticRegression(C=cost, solver="liblinear", tol=1e-10, max_iter=10_000)
            model.fit(x.numpy(), target.numpy())
            torch.testing.assert_close(head[:-1], torch.from_numpy(model.coef_[0]), rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(head[-1], torch.tensor(model.intercept_[0]), rtol=1e-3, atol=1e-4)
