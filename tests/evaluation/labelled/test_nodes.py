"""Nodes by the field's protocols, against scikit-learn's liblinear and grid search."""

import numpy as np
import pytest
import torch

from tacit.evaluation.labelled.logistic import COSTS, best_cost, one_vs_rest, scores
from tacit.evaluation.labelled.nodes import node_classification, random_split


def given(n=120, d=6, classes=3, seed=0):
    torch.manual_seed(seed)
    labels = torch.randint(classes, (n,))
    return torch.randn(classes, d)[labels] + torch.randn(n, d), labels


def test_heads_are_those_of_liblinear():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, labels = given()
    for cost in (2.0**-10, 1.0, 2.0**9):
        (mine,) = one_vs_rest(x, labels[:, None] == torch.arange(3), (cost,))
        for label in range(3):
            theirs = linear_model.LogisticRegression(solver="liblinear", C=cost, tol=1e-8, max_iter=2000).fit(
                x, labels == label
            )
            wanted = np.concatenate([theirs.coef_[0], theirs.intercept_])
            assert np.allclose(mine[label].numpy(), wanted, rtol=1e-3, atol=1e-3 * abs(wanted).max())


def test_the_cost_is_that_of_grid_search():
    search = pytest.importorskip("sklearn.model_selection")
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    x, labels = given(n=100)
    y = labels[:, None] == torch.arange(3)
    theirs = search.GridSearchCV(
        OneVsRestClassifier(LogisticRegression(solver="liblinear", tol=1e-8)), {"estimator__C": list(COSTS)}, cv=5
    ).fit(x.numpy(), y.numpy())
    assert best_cost(x, y) == theirs.best_params_["estimator__C"]
    mine = scores(one_vs_rest(x, y, (best_cost(x, y),))[0], x).argmax(1)
    assert (mine.numpy() == theirs.predict_proba(x.numpy()).argmax(1)).mean() > 0.99


def test_splits_are_as_told_and_differ():
    known = np.arange(100) % 10 != 0
    first, second = (random_split(known, 0.1, key) for key in (1, 2))
    assert np.bincount(first).tolist() == [10, 9, 0, 81] and (first != second).any() and (first[::10] == 0).all()


def test_every_protocol_has_its_number():
    x, labels = given(n=400)
    fixed = np.array([1, 2, 3, 3])[np.arange(400) % 4]
    found = node_classification(x, labels, {"fixed": fixed[None], "geom": np.stack([fixed, fixed[::-1]])}, splits=2)
    assert [number.name for number in found] == ["nodes_random", "nodes_fixed", "nodes_splits"]
    assert all(0.6 < number.value < 1 for number in found)
    assert found[1].protocol["train"] == 100 and np.isnan(found[1].low) and found[2].protocol["deviation"] >= 0
    few = node_classification(x[:40], labels[:40], {})
    assert len(few) == 1 and "leaves 4 nodes" in few[0].why
