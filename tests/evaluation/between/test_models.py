"""Several models: the matrix of a similarity, and the tree against scipy's average linkage."""

import json

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from tacit.errors import TacitError
from tacit.evaluation.between.cka import cka_debiased
from tacit.evaluation.between.models import Merge, pairwise, same_ids, tree
from tacit.evaluation.between.neighbours import neighbour_jaccard


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def families():
    """Two families of two models: noisy, turned copies of one space each."""
    a, b = normal(150, 6), normal(150, 6, seed=1)
    spaces = {"a1": a, "b1": b, "a2": a, "b2": b}
    return {
        name: space @ torch.linalg.qr(normal(12, 12, seed=i)).Q[:6] + 0.3 * normal(150, 12, seed=50 + i)
        for i, (name, space) in enumerate(spaces.items())
    }


def test_pairwise():
    models = families()
    compared = pairwise(models, cka_debiased)
    matrix = compared.matrix
    assert compared.names == ["a1", "b1", "a2", "b2"] and len(compared.numbers) == 6
    assert (matrix == matrix.T).all() and (matrix.diagonal() == 1).all()
    assert matrix[0, 3] == cka_debiased(models["a1"], models["b2"]).value
    assert json.loads(json.dumps(compared.as_dict()))["pairs"][0]["first"] == "a1"


@pytest.mark.parametrize("measure", [cka_debiased, neighbour_jaccard])
def test_the_tree_finds_the_families(measure):
    compared = pairwise(families(), measure)
    merges = tree(compared.names, compared.matrix)
    assert {frozenset(merge.members) for merge in merges[:2]} == {frozenset({"a1", "a2"}), frozenset({"b1", "b2"})}
    assert sorted(merges[2].members) == ["a1", "a2", "b1", "b2"]
    assert merges[0].similarity >= merges[1].similarity > merges[2].similarity


@pytest.mark.parametrize(("count", "seed"), [(2, 0), (3, 1), (9, 2), (25, 3)])
def test_the_tree_equals_scipy(count, seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (count, count))
    matrix = (values + values.T) / 2
    np.fill_diagonal(matrix, 1)
    expected = linkage(squareform(1 - matrix, checks=False), "average")
    merges = tree([str(i) for i in range(count)], matrix)
    assert [(m.left, m.right) for m in merges] == [tuple(sorted(map(int, row[:2]))) for row in expected]
    assert [1 - m.similarity for m in merges] == pytest.approx(expected[:, 2].tolist())
    assert [len(m.members) for m in merges] == expected[:, 3].astype(int).tolist()
    assert sorted(merges[-1].members, key=int) == [str(i) for i in range(count)]


def test_known_tree():
    matrix = np.array([[1, 0.1, 0.8], [0.1, 1, 0.3], [0.8, 0.3, 1]])
    first, second = tree(["x", "y", "z"], matrix)
    assert first == Merge(0, 2, 0.8, ["x", "z"])
    assert (second.left, second.right, second.members) == (1, 3, ["y", "x", "z"])
    assert second.similarity == pytest.approx(0.2)


def test_mistakes():
    x = normal(10, 3)
    with pytest.raises(TacitError, match="There are 1 models to compare"):
        pairwise({"a": x}, cka_debiased)
    with pytest.raises(TacitError, match="'a' has 10 samples and 'b' 9"):
        pairwise({"a": x, "b": x[:9]}, cka_debiased)
    with pytest.raises(TacitError, match="give at least 2"):
        tree(["a"], np.eye(1))
    with pytest.raises(TacitError, match="give 2 × 2"):
        tree(["a", "b"], np.eye(3))
    compared = pairwise({"a": x, "flat": torch.ones(10, 3)}, cka_debiased)
    assert np.isnan(compared.matrix[0, 1])
    with pytest.raises(TacitError, match="'a' and 'flat' is missing"):
        tree(compared.names, compared.matrix)


def test_ids():
    same_ids({"a": ["x", "y"], "b": ["x", "y"]})
    with pytest.raises(TacitError, match="different orders; sort both by id"):
        same_ids({"a": ["x", "y"], "b": ["y", "x"]})
    with pytest.raises(TacitError, match="'a' and 'c' are of different samples: 'z' is in one alone"):
        same_ids({"a": ["x", "y"], "b": ["x", "y"], "c": ["x", "y", "z"]})
    with pytest.raises(TacitError, match="repeated"):
        same_ids({"a": ["x", "y"], "b": ["x", "y", "y"]})
    with pytest.raises(TacitError, match="1 lists of ids"):
        same_ids({"a": ["x"]})
