import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score

from tacit.clusters.counting import number_of_clusters, silhouette
from tacit.clusters.density import dense_clusters
from tacit.clusters.naming import by_folder, by_majority, by_words, distinct
from tacit.clusters.stable import renumbered


def blobs(k, n=600, d=12, spread=0.25):
    random = np.random.default_rng(0)
    of = random.integers(0, k, n)
    x = 2 * np.eye(d)[of] + spread * random.standard_normal((n, d))
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(of)


@pytest.mark.parametrize("k", [2, 7])
def test_the_silhouette_is_that_of_all_pairs(k, monkeypatch):
    monkeypatch.setattr("tacit.clusters.counting.TILE", 37)
    x, labels = blobs(k, 200, spread=0.8)
    labels[0] = k  # one that is alone
    assert silhouette(x, labels) == pytest.approx(silhouette_score(x.numpy(), labels.numpy()), abs=1e-5)


@pytest.mark.parametrize("k", [3, 6, 10])
def test_as_many_clusters_are_found_as_there_are(k):
    torch.manual_seed(0)
    scores = number_of_clusters(blobs(k)[0], 40)
    assert max(scores, key=lambda k: scores[k]) == k and scores[k] > 0.3


def test_dense_regions_and_rows_between_them():
    x, of = blobs(4, 400, 40, 0.1)
    far = 20 * torch.randn(5, 40, generator=torch.Generator().manual_seed(1))
    labels = dense_clusters(torch.cat([x, far]), 20)
    assert (labels[400:] == -1).all() and labels[:400].min() >= 0
    assert len({(int(a), int(b)) for a, b in zip(of, labels)}) == 4


def test_numbers_stay_with_most_of_their_rows():
    ids = [str(i) for i in range(10)]
    before = dict(zip(ids, [3, 3, 3, 7, 7, 7, 5, 5, -1, -1]))
    labels = np.array([1, 1, 0, 0, 0, 0, 2, -1, 2, 4])
    assert renumbered(labels, ids, before).tolist() == [3, 3, 7, 7, 7, 7, 5, -1, 5, 8]
    assert renumbered(np.full(3, -1), ids[:3], before).tolist() == [-1, -1, -1]
    assert renumbered(np.array([0, 1, 1]), ["a", "b", "c"], {}).tolist() == [0, 1, 1]


def test_names():
    assert by_majority([["dog", "dog", "cat"], ["cat", None, None, None], []]) == ["dog", "", ""]
    assert by_majority([["dog"], ["dog"]]) == ["", ""]  # which tells nothing
    said = [[f"the {word} of {i}" for i in range(20)] for word in ("goal", "market")]
    said[0] += ["a striker scores the goal"] * 2
    assert by_words(said) == ["goal, scores, striker", "market"]
    assert by_folder([["/a/one/x.png", "/a/one/y.png"], ["/a/two/x.png", None]]) == ["one", "two"]
    assert distinct(["", "dog", "dog", ""], ["x", "y", "z", "x"]) == ["x", "dog", "dog (2)", "x (2)"]
