from dataclasses import replace

import pytest

from tacit.embeddings.rows import Rows
from tacit.embeddings.search import search
from tacit.embeddings.words import K, fused
from tacit.embeddings.write import add, write
from tacit.errors import TacitError

SAID = ["oil prices rise again", "a quiet match in the rain", "prices of oil", "the heart and its attack", "nothing of that"]


def texts(vectors, said, first=0):
    n = len(said)
    labels = ["even" if i % 2 == 0 else "odd" for i in range(n)]
    yield Rows([str(first + i) for i in range(n)], [None] * n, labels, vectors[:n], [None] * n, said)


@pytest.fixture
def table(tmp_path, made, vectors):
    return write(tmp_path / "notes.lance", texts(vectors, SAID), replace(made, kind="text"), total=5)


def test_words_and_vectors_are_fused_by_reciprocal_ranks(table, vectors):
    (near,) = search(table, vectors[3:4], 5)
    assert near[0].id == "3"
    found = fused(table, "oil prices", near, 5)
    expected = {hit.id: 1 / (K + rank) for rank, hit in enumerate(near, 1)}
    for rank, id in enumerate(("2", "0"), 1):  # the shorter text first
        expected[id] += 1 / (K + rank)
    assert [hit.id for hit in found] == sorted(expected, key=lambda id: -expected[id])
    assert {hit.id: hit.score for hit in found} == pytest.approx(expected) and found[0].text in SAID
    assert fused(table, "oil prices", [], 5, where="label = 'odd'") == []
    assert [hit.id for hit in fused(table, "match", [], 5, where="label = 'odd'")] == ["1"]


def test_words_of_rows_that_came_later_are_found(table, vectors):
    assert fused(table, "zebra", [], 3) == []
    grown = add(table.path, texts(vectors, ["a zebra"], 5), renew=False)
    assert [hit.id for hit in fused(grown, "zebra", [], 3)] == ["5"]


def test_a_table_without_texts_has_no_words(tmp_path, made, vectors):
    (some,) = texts(vectors, SAID)
    pictures = write(tmp_path / "p.lance", [some._replace(texts=None)], made, total=5)
    with pytest.raises(TacitError, match="no texts"):
        fused(pictures, "oil", [], 3)
