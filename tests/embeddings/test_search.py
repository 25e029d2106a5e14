from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tacit.embeddings import search as module
from tacit.embeddings.search import resolve, search
from tacit.embeddings.write import write
from tacit.errors import TacitError

from .conftest import DIM, rows


@pytest.fixture
def table(tmp_path, made, vectors):
    return write(tmp_path / "photos.lance", rows(vectors), made, total=1000)


def brute(vectors, queries, top, similarity):
    vectors, queries = vectors.astype(np.float64), queries.astype(np.float64)
    if similarity == "cosine":
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(length > 0, length, 1)
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    scores = (queries @ vectors.T).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]  # of equal scores the earlier
    return order, np.take_along_axis(scores, order, 1)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("top", [1, 10, 999, 5000])
def test_equals_brute_force(tmp_path, made, vectors, monkeypatch, similarity, top):
    monkeypatch.setattr(module, "PIECE", 96 * 4 * DIM)  # several tiles, the last one smaller
    monkeypatch.setattr(module, "RESCORED", 50)
    vectors[5] = 0
    queries = np.random.default_rng(1).standard_normal((7, DIM))
    table = write(tmp_path / "photos.lance", rows(vectors), replace(made, similarity=similarity), total=1000)
    found = search(table, queries, top)
    order, scores = brute(vectors, queries, top, similarity)
    assert [[hit.id for hit in hits] for hits in found] == [[f"some/{i}.png" for i in line] for line in order]
    assert np.allclose([[hit.score for hit in hits] for hits in found], scores, rtol=0, atol=1e-6)
    table.hold()
    assert search(table, queries, top) == found


@pytest.mark.parametrize("top", [1, 2, 7, 50])
def test_ties_go_to_the_earlier_row(tmp_path, made, monkeypatch, top):
    """Few different vectors, each many times, over several tiles; scores that are 0 and −0 are equal."""
    monkeypatch.setattr(module, "PIECE", 37 * 4 * DIM)
    random = np.random.default_rng(0)
    vectors = random.integers(-1, 2, (5, DIM)).astype(np.float32)[random.integers(0, 5, 400)]
    vectors[::50] = -vectors[::50]
    table = write(tmp_path / "photos.lance", rows(vectors), replace(made, similarity="dot"), total=400)
    queries = np.concatenate([vectors[:4], random.integers(-1, 2, (4, DIM)), -np.eye(DIM)[:2]])
    order, _ = brute(vectors, queries, top, "dot")
    found = search(table, queries, top)
    assert [[hit.id for hit in hits] for hits in found] == [[f"some/{i}.png" for i in line] for line in order]


def test_equal_vectors_score_equal(tmp_path, made):
    """Bit for bit, wherever in a tile they lie: numbers whose sums do round."""
    random = np.random.default_rng(0)
    vectors = np.repeat(random.standard_normal((1, DIM)), 500, axis=0).astype(np.float32)
    table = write(tmp_path / "photos.lance", rows(vectors), made, total=500)
    for m in (1, 2, 5, 33):
        for hits in search(table, random.standard_normal((m, DIM)), 500):
            assert len({hit.score for hit in hits}) == 1
            assert [hit.id for hit in hits] == [f"some/{i}.png" for i in range(500)]


def test_a_known_case(tmp_path, made):
    vectors = np.array([[1, 0], [0, 2], [3, 3], [-1, 0]], np.float32)
    plane = replace(made, dim=2)
    cosine = write(tmp_path / "c.lance", rows(vectors), plane, total=4)
    dot = write(tmp_path / "d.lance", rows(vectors), replace(plane, similarity="dot"), total=4)
    (hits,) = search(cosine, np.array([[5, 0]]), 3)
    assert [(hit.id, round(hit.score, 4)) for hit in hits] == [("some/0.png", 1.0), ("some/2.png", 0.7071), ("some/1.png", 0.0)]
    assert hits[1][2:] == (None, None, None, None)
    (hits,) = search(dot, np.array([[5, 0]]), 2)
    assert [(hit.id, hit.score) for hit in hits] == [("some/2.png", 15.0), ("some/0.png", 5.0)]
    assert search(cosine, np.empty((0, 2))) == []


def test_each_query_can_leave_itself_out(table, vectors):
    found = search(table, vectors[:3], 5)
    assert [hits[0].id for hits in found] == ["some/0.png", "some/1.png", "some/2.png"]
    assert found[1][0][2:] == ("class 1", "/photos/some/1.png", b"picture 1", None)
    without = search(table, vectors[:3], 4, exclude=["some/0.png", None, "some/2.png"])
    assert without == [found[0][1:], found[1][:4], found[2][1:]]
    assert len(search(table, vectors[:1], 1000, exclude=["some/0.png"])[0]) == 999
    far = search(table, vectors[:1], 3, exclude=[search(table, vectors[:1], 1000)[0][-1].id])
    assert far == [found[0][:3]]
    with pytest.raises(TacitError, match="nearest"):
        search(table, vectors[:1], 3, exclude=["some/0.pgn"])


def test_queries_that_cannot_be_compared_are_refused(table, vectors):
    for query, why in [
        (vectors[:1, :5], "A query has 5 numbers, .* 16"),
        (vectors[0], "A query has 1 numbers"),
        (np.full((1, DIM), np.nan), "NaN"),
        (np.zeros((1, DIM)), "all zeros"),
    ]:
        with pytest.raises(TacitError, match=why):
            search(table, query)
    with pytest.raises(TacitError, match="0 hits"):
        search(table, vectors[:1], 0)
    for broken, why in ((np.nan, "number 259 holds NaN"), (0, "number 259 is all zeros")):
        with pytest.raises(TacitError, match=why):
            search(table, np.where(np.arange(5)[:, None] == 2, broken, vectors[:5]), before=256)


@pytest.mark.parametrize("change", [{"similarity": "hyperbolic"}, {"form": "sparse"}])
def test_what_cannot_be_searched_says_what_can(tmp_path, made, vectors, change):
    table = write(tmp_path / "photos.lance", rows(vectors), replace(made, **change), total=1000)
    with pytest.raises(TacitError, match="cosine, dot or poincare"):
        search(table, vectors[:1])


def test_a_query_is_an_id_a_file_or_a_vector(table, vectors, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve("some/3.png", table) == "some/3.png"
    Path("query.png").write_bytes(b"")
    assert resolve("query.png", table) == Path("query.png")
    text = ", ".join(map(str, range(DIM)))
    for query in (text, f"[{text}]"):
        assert np.array_equal(resolve(query, table), np.arange(DIM))
    long = repr(vectors[0].astype(float).tolist())
    assert len(long) > 255  # more than a file's name can have
    assert np.array_equal(resolve(long, table), vectors[0])
    for array in (vectors[0], vectors[:1], np.arange(DIM)):
        np.save("query.npy", array)
        assert np.array_equal(resolve("query.npy", table), array.reshape(-1))


def test_queries_that_mean_nothing_are_refused(table, vectors, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bad.npy").write_bytes(b"no array")
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save("many.npy", vectors[:2])
    np.save("words.npy", np.array(["a"] * DIM))
    np.save("nan.npy", np.full(DIM, np.nan))
    for query, why in [
        ("some/12.pgn", r"nearest id is 'some/12\.png'"),
        ("1,2,3", "A query has 3 numbers"),
        (",".join(["NaN"] * DIM), "NaN"),
        ("[1, two]", "no vector"),
        ("[" * 5000, "no vector"),
        ("[1" + "0" * 400 + "]", "no vector"),
        ("bad.npy", "no .npy file"),
        ("objects.npy", "no .npy file"),
        ("many.npy", "A query has 2 × 16 numbers"),
        ("words.npy", "not numbers"),
        ("nan.npy", "NaN"),
        (".", "no file"),
        ("", "no id"),
    ]:
        with pytest.raises(TacitError, match=why):
            resolve(query, table)


def test_an_ambiguous_query_is_refused(tmp_path, made, vectors, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (some,) = rows(vectors[:3], batch=3)
    mine = some._replace(ids=["a.png", "b.png", "1,2"], paths=[str(tmp_path / "a.png"), None, None])
    table = write(tmp_path / "photos.lance", [mine], made, total=3)
    Path("a.png").write_bytes(b"")
    Path("b.png").write_bytes(b"")
    assert resolve("a.png", table) == "a.png"  # the file is the row's own
    with pytest.raises(TacitError, match=r"write \./b\.png for the file"):
        resolve("b.png", table)
    assert resolve("./b.png", table) == Path("b.png")
    with pytest.raises(TacitError, match="both a vector and the name of an id"):
        resolve("1,2", table)


def test_only_rows_that_meet_a_condition_are_compared(table, vectors):
    numbers = [i for i in range(1000) if i % 2 and i % 3 == 1]
    assert table.where("label = 'class 1'").tolist() == numbers
    (hits,) = search(table, vectors[:1], 5, where="label = 'class 1'")
    order, _ = brute(vectors[numbers], vectors[:1], 5, "cosine")
    assert [hit.id for hit in hits] == [f"some/{numbers[i]}.png" for i in order[0]]
    assert search(table, vectors[:2], 5, where="label = 'none'") == [[], []]
    assert len(search(table, vectors[:1], 5, where="id = 'some/7.png'")[0]) == 1
    for wrong, why in (
        ("lable = 'a'", "No field named lable.*label, split"),
        ("label = 'a", "Unterminated"),
        ("label", "--where"),
    ):
        with pytest.raises(TacitError, match=why) as caught:
            search(table, vectors[:1], where=wrong)
        assert "\n" not in str(caught.value) and "Invalid input" not in str(caught.value)


def test_points_of_the_ball_are_searched_by_their_distance_in_it(tmp_path, made, vectors):
    points = (vectors / (1 + np.linalg.norm(vectors, axis=1, keepdims=True))).astype(np.float32)
    table = write(tmp_path / "tree.lance", rows(points), replace(made, similarity="poincare"), total=len(points))
    queries = points[[5, 17]].astype(np.float64)
    inside = 1 - np.square(points.astype(np.float64)).sum(1)
    apart = np.square(queries[:, None] - points[None].astype(np.float64)).sum(2)
    expected = np.arccosh(1 + 2 * apart / (inside[[5, 17]][:, None] * inside))
    order = expected.argsort(axis=1, kind="stable")[:, :6]
    found = search(table, queries, top=6)
    for hits, row, truth in zip(found, order, expected):
        assert [hit.score for hit in hits] == pytest.approx(-truth[row], rel=1e-5, abs=1e-5)
    with pytest.raises(TacitError, match="outside of the unit ball"):
        search(table, np.full((1, DIM), 1.0))
