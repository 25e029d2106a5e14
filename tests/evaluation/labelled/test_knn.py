"""Weighted kNN: against a loop, and its edges."""

import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.labelled.knn import knn, knn_predict


def blobs(n, seed, noise=1.0, classes=4):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 8, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(classes, (n,), generator=g)
    return centres[labels] + noise * torch.randn(n, 8, generator=g), labels


def vote(train, labels, x, k, temperature, similarity):
    """Wu et al. 2018, section 3.4, one sample at a time."""
    scores = []
    for t in train:
        dot = float(t.double() @ x.double())
        scores.append(dot if similarity == "dot" else dot / float(t.double().norm() * x.double().norm()))
    votes: dict[int, float] = {}
    for i in sorted(range(len(train)), key=lambda i: -scores[i])[:k]:
        votes[int(labels[i])] = votes.get(int(labels[i]), 0.0) + math.exp(scores[i] / temperature)
    return max(sorted(votes), key=lambda label: votes[label])


@pytest.mark.parametrize(("similarity", "temperature"), [("cosine", 0.07), ("dot", 1.0)])
def test_equals_a_loop(similarity, temperature):
    (x, y), (x_test, y_test) = blobs(150, 0), blobs(60, 1)
    y, y_test = 10 * y + 3, 10 * y_test + 3  # labels need not be 0 … C−1
    expected = [vote(x, y, sample, 20, temperature, similarity) for sample in x_test]
    assert knn_predict(x, y, x_test, 20, temperature, similarity).tolist() == expected
    number = knn(x, y, x_test, y_test, temperature=temperature, similarity=similarity)
    assert number.value == pytest.approx(sum(e == int(t) for e, t in zip(expected, y_test)) / 60)
    assert number.low < number.value < number.high


def test_known():
    x, y = torch.eye(3), torch.tensor([5, 6, 7])
    assert knn(x, y, 2 * x, y, k=1).value == 1.0
    assert knn(x, y, 2 * x, y.roll(1), k=1).value == 0.0


def test_large_products_do_not_overflow():
    x, y = 1000 * torch.eye(3), torch.tensor([0, 1, 2])
    assert knn(x, y, x, y, k=2, similarity="dot").value == 1.0


def test_k_is_clipped_and_the_protocol_says_so():
    x, y = blobs(5, 0)
    protocol = knn(x, y, x, y).protocol
    assert (protocol["k"], protocol["k_clipped_from"]) == (5, 20)
    assert "k_clipped_from" not in knn(x, y, x, y, k=5).protocol


def test_unseen_labels_are_errors():
    x, y = blobs(30, 0)
    assert knn(x, y, x, torch.full_like(y, 77)).value == 0.0


def test_mistakes():
    x, y = blobs(30, 0)
    with pytest.raises(TacitError, match="did you mean 'cosine'"):
        knn(x, y, x, y, similarity="cosin")
    with pytest.raises(TacitError, match="at least 1"):
        knn(x, y, x, y, k=0)
