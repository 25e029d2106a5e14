"""Retrieval: against a loop and scikit-learn, and its edges."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, ndcg_score

from tacit.evaluation.labelled import retrieval as room
from tacit.evaluation.labelled.retrieval import retrieval


def blobs(n, seed, classes=5):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 8, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(classes, (n,), generator=g)
    return centres[labels] + 1.5 * torch.randn(n, 8, generator=g), labels


def by_loop(gallery, y, queries, y_query):
    """AP, recall at 1 and 10, and nDCG at 10 of one query after the other."""
    each = []
    for q, label in zip(queries, y_query):
        similarity = torch.cosine_similarity(gallery, q[None]).numpy()
        relevant = (y == label).numpy()
        hits, precision = 0, []
        for place, row in enumerate(np.argsort(-similarity), start=1):
            hits += relevant[row]
            if relevant[row]:
                precision.append(hits / place)
        first = relevant[np.argsort(-similarity)]
        assert np.mean(precision) == pytest.approx(average_precision_score(relevant, similarity))
        each.append([np.mean(precision), first[0], first[:10].any(), ndcg_score([relevant], [similarity], k=10)])
    return np.mean(np.array(each, float), axis=0)


@pytest.mark.parametrize("cells", [1 << 21, 700])
def test_equals_a_loop_and_scikit_learn(cells, monkeypatch):
    monkeypatch.setattr(room, "CELLS", cells)
    (x, y), (queries, y_query) = blobs(120, 0), blobs(50, 1)
    numbers = retrieval(x, 10 * y + 3, queries, 10 * y_query + 3)  # labels need not be 0 … C−1
    assert [n.name for n in numbers] == list(room.NAMES)
    assert [n.value for n in numbers] == pytest.approx(by_loop(x, y, queries, y_query), abs=1e-6)
    assert all(n.low <= n.value <= n.high for n in numbers)


def test_fewer_relevant_than_places():
    (x, y), (queries, y_query) = blobs(8, 0, classes=3), blobs(20, 1, classes=3)
    seen = torch.isin(y_query, y)
    numbers = retrieval(x, y, queries[seen], y_query[seen])
    assert [n.value for n in numbers] == pytest.approx(by_loop(x, y, queries[seen], y_query[seen]), abs=1e-6)


def test_known():
    x, y = torch.eye(3), torch.tensor([5, 6, 7])
    assert [n.value for n in retrieval(x, y, 2 * x, y)] == [1.0, 1.0, 1.0, 1.0]
    gallery, labels = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2]]), torch.tensor([0, 1, 0])
    values = [n.value for n in retrieval(gallery, labels, torch.tensor([[1.0, 0.0]]), torch.tensor([1]))]
    assert values == pytest.approx([0.5, 0.0, 1.0, 1 / math.log2(3)])


def test_of_equal_similarities_the_lower_row_comes_first():
    x, y = torch.ones(6, 3), torch.tensor([0, 0, 1, 1, 1, 0])
    assert retrieval(x, y, x[:1], y[:1])[0].value == pytest.approx((1 + 1 + 3 / 6) / 3)


def test_a_query_whose_class_the_gallery_lacks_scores_nothing():
    x, y = blobs(40, 0)
    numbers = retrieval(x, y, x, torch.where(y == 0, 77, y))
    lacking = int((y == 0).sum())
    assert numbers[1].value == pytest.approx(1 - lacking / 40)
    assert numbers[0].protocol["unanswerable"] == lacking
    assert retrieval(x, y, x, torch.full_like(y, 77))[0].value == 0.0


def test_many_queries_are_thinned(monkeypatch):
    monkeypatch.setattr(room, "LIMIT", 30)
    x, y = blobs(60, 0)
    protocol = retrieval(x, y, x, y)[0].protocol
    assert (protocol["test"], protocol["drawn_from"]) == (30, 60)


def test_one_class():
    x, y = blobs(20, 0)
    assert all(math.isnan(n.value) and "two classes" in n.why for n in retrieval(x, 0 * y, x, y))
