"""Codes against brute force: what each compares, what it leaves, and that nothing stale is asked."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tacit.embeddings.codes import Code, Linear, build, opened
from tacit.embeddings.search import nearest_rows, search
from tacit.embeddings.write import add, write
from tacit.errors import TacitError

from .conftest import DIM, rows

N = 600


@pytest.fixture(scope="module")
def x():
    draws = np.random.default_rng(0).normal(size=(N, DIM))
    return (0.3 + draws / np.sqrt(1 + np.arange(DIM))).astype(np.float32)


@pytest.fixture
def table(tmp_path, made, x):
    return write(tmp_path / "photos.lance", rows(x), made, total=N)


@pytest.fixture
def q():
    return (0.3 + np.random.default_rng(1).normal(size=(20, DIM)) / np.sqrt(1 + np.arange(DIM))).astype(np.float32)


def unit(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def best(scores, top):
    return np.argsort(-scores, axis=1, kind="stable")[:, :top]


def share(found, truth):
    return np.mean([len({*a} & {*b}) / len(b) for a, b in zip(found.tolist(), truth.tolist())])


@pytest.mark.parametrize(
    "text", ["scalar", "scalar4", "product", "product4", "binary", "pca8", "first8,binary", "tldr64,scalar4", "pca12,product3"]
)
def test_a_spelling_comes_back(text):
    assert str(Code.read(text)) == text


@pytest.mark.parametrize(
    "text", ["", "pca", "pca0", "scalar8", "scalar,pca8", "pca8,", ",scalar", "pca8 first8", "binary2", "x"]
)
def test_what_is_no_code_is_named(text):
    with pytest.raises(TacitError, match="is no code; give first64"):
        Code.read(text)


def test_first_numbers_are_compared_at_length_one(table, x, q):
    codes = build(table, Code.read("first6"))
    truth = best(unit(unit(q)[:, :6]) @ unit(unit(x)[:, :6]).T, 7)
    assert (codes.alone(q, 7) == truth).all() and codes.about.bytes == 24


def test_principal_directions_are_those_about_the_origin(table, x, q):
    codes = build(table, Code.read("pca5"))
    _, _, axes = np.linalg.svd(unit(x).astype(np.float64), full_matrices=False)
    truth = best((unit(q) @ axes[:5].T) @ (unit(x) @ axes[:5].T).T, 7)
    assert share(codes.alone(q, 7), truth) > 0.99 and codes.about.bytes == 20


def test_a_learned_map_is_compared_at_length_one(table, x, q):
    weight, bias = np.random.default_rng(2).normal(size=(4, DIM)), np.arange(4) / 4
    seen = []

    def learn(some, numbers):
        seen.append((some.shape, numbers, np.linalg.norm(some, axis=1)))
        return Linear(weight, bias)

    codes = build(table, Code.read("tldr4"), learn)
    (shape, numbers, lengths) = seen[0]
    assert shape == (N, DIM) and numbers == 4 and np.allclose(lengths, 1)
    truth = best(unit(unit(q) @ weight.T + bias) @ unit(unit(x) @ weight.T + bias).T, 7)
    assert share(codes.alone(q, 7), truth) > 0.99


def test_bits_say_on_which_side_of_the_mean_a_number_lies(table, x, q):
    codes = build(table, Code.read("binary"))
    z, mean = unit(x), unit(x).mean(0)
    scores = ((unit(q) - mean) / np.abs(z - mean).mean(0)) @ np.sign(z - mean).T
    for mine, of in zip(codes.alone(q, 20), scores):  # scores are summed in bytes, so that near ones may swap
        assert of[mine].min() > np.sort(of)[-25] - 1e-5
    assert codes.about.bytes == DIM / 8


@pytest.mark.parametrize(
    ("text", "size", "least"), [("scalar", DIM, 0.95), ("scalar4", DIM / 2, 0.6), ("product", DIM / 4, 0.3)]
)
def test_fewer_bits_find_most(table, q, text, size, least):
    codes = build(table, Code.read(text))
    truth = nearest_rows(table, q, 10)
    assert codes.about.bytes == size and share(codes.alone(q, 10), truth) > least
    assert share(codes.candidates(q, 10), truth) > 0.97 and codes.about.recall >= 0.99


@pytest.mark.parametrize("held", [False, True])
def test_all_numbers_put_candidates_in_order(table, x, q, held):
    codes = build(table, Code.read("pca5,binary"))
    if held:
        table.hold()
    named = codes.alone(q, 10 * codes.about.shortlist)
    scores = unit(q) @ unit(x).T
    truth = np.array([some[np.argsort(-line[some])][:10] for line, some in zip(scores, named)])
    assert (codes.candidates(q, 10) == truth).all()
    hits = search(table, q, 10, index=codes)
    assert [[hit.id for hit in line] for line in hits] == [[f"some/{i}.png" for i in line] for line in truth]


def test_what_is_said_of_them_is_what_they_find(table, x):
    about = build(table, Code.read("product4")).about
    codes = opened(table, "product4")
    own = np.sort(np.random.default_rng(0).permutation(N)[:200])
    truth = nearest_rows(table, x[own], 11)[:, 1:]
    assert codes.about == about and about.rows == N
    assert share(codes.alone(x[own], 11), truth) == pytest.approx(about.alone, abs=0.08)
    assert share(codes.candidates(x[own], 11), truth) == pytest.approx(about.recall, abs=0.03)


def test_nothing_stale_or_broken_is_asked(table, x, tmp_path):
    assert opened(table, "scalar") is None
    build(table, Code.read("scalar"))
    file = tmp_path / ".photos.codes-scalar"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert opened(table, "scalar") is None
    file.write_bytes(whole)
    assert opened(table, "scalar") is not None
    (more,) = rows(x[:64])
    grown = add(table.path, [more._replace(ids=[f"new/{i}" for i in range(64)])], renew=False)
    assert opened(grown, "scalar") is None


@pytest.mark.parametrize(
    ("text", "said"), [("pca99", "have 16"), ("product3", "product1, product2, product4, product8"), ("pca5,product", "scalar")]
)
def test_what_a_table_cannot_have_is_named(table, text, said):
    with pytest.raises(TacitError, match=said):
        build(table, Code.read(text))


def test_points_of_a_ball_have_no_codes(tmp_path, made, x):
    table = write(tmp_path / "tree.lance", rows(x / 100), replace(made, similarity="poincare"), total=N)
    with pytest.raises(TacitError, match="have no codes"):
        build(table, Code.read("scalar"))


def test_inner_products_are_not_brought_to_length_one(tmp_path, made, x, q):
    table = write(tmp_path / "dot.lance", rows(x), replace(made, similarity="dot"), total=N)
    truth = best(q @ x.T, 5)
    assert share(build(table, Code.read("first16")).alone(q, 5), truth) > 0.99
    assert share(build(table, Code.read("pca12")).candidates(q, 5), truth) > 0.97


def test_codes_of_a_table_that_was_here_before_are_not_those_of_the_new_one(table, x, made):
    build(table, Code.read("scalar"))
    shutil.rmtree(table.path)
    again = write(table.path, rows(-x[::-1]), made, total=N)
    assert again.version == table.version and opened(again, "scalar") is None


def test_a_damaged_file_of_the_right_length_is_none(table, tmp_path):
    build(table, Code.read("scalar"))
    file = tmp_path / ".photos.codes-scalar"
    file.write_bytes(bytes(file.stat().st_size))
    assert opened(table, "scalar") is None


@pytest.mark.parametrize("text", ["product", "scalar4"])
def test_sixteen_levels_are_learned_of_sixteen_rows(tmp_path, made, x, text):
    few = write(tmp_path / "few.lance", rows(x[:15]), made, total=15)
    with pytest.raises(TacitError, match=r"learns 16 levels and .* has 15 rows"):
        build(few, Code.read(text))
    assert build(write(tmp_path / "enough.lance", rows(x[:16]), made, total=16), Code.read(text)).about.rows == 16
