"""The map: what is near in the vectors is near on it, the same each time, and another when the table is another."""

import numpy as np
import pytest

from tacit.embeddings.write import add
from tacit.errors import TacitError
from tacit.explorer import layout as module
from tacit.explorer.layout import between, fitted, flat, layout, place, principal

from .conftest import GROUPS, made_table, rows_of, vectors_of_groups


def silent(sentence: str) -> None:
    """Nobody hears it."""


def apart(points: np.ndarray) -> float:
    """The least distance between middles of groups over the largest mean distance to one's own middle."""
    groups = np.arange(len(points)) % GROUPS
    middles = np.stack([points[groups == g].mean(0) for g in range(GROUPS)])
    within = max(np.linalg.norm(points[groups == g] - middles[g], axis=1).mean() for g in range(GROUPS))
    between_them = min(np.linalg.norm(middles[a] - middles[b]) for a in range(GROUPS) for b in range(a))
    return between_them / within


def test_groups_lie_apart_and_the_rest_lies_with_its_landmarks(tmp_path):
    table = made_table(tmp_path / "trees.lance", 400)
    told = []
    found = layout(table, landmarks=150, told=told.append)
    assert found.points.shape == (400, 2) and found.points.dtype == np.float32
    assert np.abs(found.points).max() <= module.EDGE + 1e-6 and found.about.landmarks == 150
    assert apart(found.points) > 3
    assert "none yet" in told[0] and any("100%" in line for line in told)


def test_the_same_map_each_time_and_another_by_another_seed(tmp_path):
    table = made_table(tmp_path / "trees.lance", 120)
    first = layout(table, told=silent).points
    place(table.path).unlink()
    assert np.array_equal(layout(table, told=silent).points, first)
    told = []
    second = layout(table, seed=1, landmarks=100, told=told.append)
    assert second.about.seed == 1 and not np.array_equal(second.points, first) and "made otherwise" in told[0]


def test_a_map_is_kept_until_the_table_changes(tmp_path):
    table = made_table(tmp_path / "trees.lance", 60)
    first = layout(table, told=silent)
    told = []
    assert np.array_equal(layout(table, told=told.append).points, first.points) and not told
    more = rows_of(vectors_of_groups(30, seed=5), [f"more/{i}.png" for i in range(30)])
    table = add(table.path, more, renew=False)
    assert len(layout(table, told=told.append).points) == 90 and "has changed since" in told[0]


@pytest.mark.parametrize("what", [b"", b"no map", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_map_that_is_not_whole_is_made_anew(what, tmp_path):
    table = made_table(tmp_path / "trees.lance", 30)
    place(table.path).write_bytes(what)
    assert len(layout(table, told=silent).points) == 30


def test_rows_are_placed_between_their_nearest_landmarks(monkeypatch):
    """By the formula, row by row; and a row that is a landmark's equal lies beside it."""
    random = np.random.default_rng(0)
    keys, places = random.standard_normal((40, 6)).astype(np.float32), random.standard_normal((40, 2)).astype(np.float32)
    rows = random.standard_normal((20, 6)).astype(np.float32)
    found = between(rows, keys, places)
    for row, point in zip(rows, found):
        far = np.linalg.norm(keys - row, axis=1)
        order = np.argsort(far)[: module.ANCHORS]
        beyond = far[order] - far[order[0]]
        weight = np.exp(-beyond / beyond[1:].mean())
        assert np.allclose(point, (weight[:, None] * places[order]).sum(0) / weight.sum(), atol=1e-5)
    monkeypatch.setattr(module, "ANCHORS", 1)
    assert np.allclose(between(keys[:3], keys, places), places[:3])


def test_few_rows_are_placed_by_principal_axes(tmp_path):
    for count in (1, 2, 5):
        table = made_table(tmp_path / f"few{count}.lance", count)
        found = layout(table, told=silent).points
        assert found.shape == (count, 2) and np.isfinite(found).all()
    x = np.array([[0, 0, 0], [4, 0, 0], [0, 1, 0], [4, 1, 0]], np.float32)
    assert np.allclose(np.abs(principal(x)), [[2, 0.5]] * 4)
    assert principal(np.ones((3, 1), np.float32)).shape == (3, 2)


def test_a_map_fills_the_square_and_keeps_its_shape():
    found = fitted(np.array([[10, 5], [14, 5], [12, 6]], np.float32))
    assert np.allclose(found, [[-0.95, -0.2375], [0.95, -0.2375], [0, 0.2375]])
    assert np.array_equal(fitted(np.ones((2, 2), np.float32)), np.zeros((2, 2)))


def test_points_of_the_ball_are_taken_from_its_tangent_space():
    """The distance from the middle is then half the hyperbolic one: artanh of the length."""
    points = np.array([[0.5, 0], [0, -0.9]], np.float32)
    assert np.allclose(flat(points, "poincare"), [[np.arctanh(0.5), 0], [0, -np.arctanh(0.9)]], atol=1e-6)
    assert np.allclose(np.linalg.norm(flat(3 * points, "cosine"), axis=1), 1)
    assert np.array_equal(flat(points, "dot"), points)


def test_without_umap_the_line_to_type(tmp_path, monkeypatch):
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", missing)
    with pytest.raises(TacitError, match=r"pip install 'tacit\[explore\]'"):
        layout(made_table(tmp_path / "trees.lance", 30), told=silent)
    assert not place(tmp_path / "trees.lance").exists()
