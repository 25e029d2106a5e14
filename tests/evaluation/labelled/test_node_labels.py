import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier

from tacit.evaluation.labelled.node_labels import as_many, f1, label_f1
from tacit.numerics import counter


def labelled(n=200, d=6, k=5):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(n, d, generator=g)
    logits = x @ torch.randn(d, k, generator=g) + torch.randn(n, k, generator=g)
    return x, logits > logits.topk(2, 1).values[:, 1:] - torch.rand(n, 1, generator=g)


def test_f1_is_that_of_scikit_learn():
    g = torch.Generator().manual_seed(0)
    a, b = torch.rand(50, 7, generator=g) < 0.3, torch.rand(50, 7, generator=g) < 0.3
    a[:, 6] = b[:, 6] = False
    expected = [f1_score(b, a, average=how, zero_division=0) for how in ("micro", "macro")]
    np.testing.assert_allclose(f1(a, b), expected)


def test_a_row_gets_as_many_labels_as_it_has():
    scores = torch.tensor([[0.1, 3.0, 2.0], [1.0, 0.0, -1.0]])
    assert as_many(scores, torch.tensor([2, 0])).tolist() == [[False, True, True], [False, False, False]]


def test_the_protocol_is_that_of_deepwalk():
    x, y = labelled()
    order = counter.permutation(counter.key(0, "labels", 0), len(x))
    train, test = order[:100], order[100:]
    model = OneVsRestClassifier(LogisticRegression(solver="liblinear", tol=1e-8)).fit(x[train], y[train])
    given = as_many(torch.from_numpy(model.predict_proba(x[test])), y[test].sum(1))
    expected = [f1_score(y[test], given, average=how, zero_division=0) for how in ("micro", "macro")]
    np.testing.assert_allclose(label_f1(x, y, (0.5,), 1)[0.5], expected, atol=1e-6)


def test_nodes_without_labels_are_left_out():
    x, y = labelled()
    more = torch.cat([x, torch.randn(20, 6)]), torch.cat([y, torch.zeros(20, 5, dtype=torch.bool)])
    assert label_f1(x, y, (0.5,), 2) == label_f1(*more, (0.5,), 2)
