"""Tables of vectors of tokens: what is written, what pooling leaves, and late interaction over them against brute force."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

import tacit
from tacit.data.generated import tiny_images
from tacit.data.text.opening import from_strings
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import open_table
from tacit.embeddings.rows import Rows, tokens_of
from tacit.embeddings.write import write
from tacit.errors import TacitError
from tacit.method import Ragged
from tacit.numerics.exact import unit
from tacit.retrieval import tokens as module
from tacit.retrieval.token_pooling import pooled
from tacit.retrieval.tokens import search

DIM, N = 8, 90
QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


def documents(n=N, seed=0):
    lengths = np.random.default_rng(seed).integers(1, 7, n)
    values = np.random.default_rng(seed + 1).normal(size=(lengths.sum(), DIM)).astype(np.float32)
    return values, np.concatenate([[0], lengths.cumsum()])


@pytest.fixture
def table(tmp_path):
    values, offsets = documents()
    made = Provenance("runs/one", "ab" * 32, "ragged", "maxsim", DIM, "image", "0.1.0")

    def batches():
        for start in range(0, N, 32):
            end = min(start + 32, N)
            some = values[offsets[start] : offsets[end]]
            labels = [str(i % 3) for i in range(start, end)]
            none = [None] * (end - start)
            yield Rows(
                [f"d{i}" for i in range(start, end)],
                none,
                labels,
                some,
                none,
                offsets=offsets[start : end + 1] - offsets[start],
            )

    return write(tmp_path / "many.lance", batches(), made, total=N)


def brute(questions, exclude=()):
    values, offsets = documents()
    scores = np.array(
        [
            [(q @ values[a:b].T).max(1).sum() for a, b in pairwise(offsets)]
            for q in np.split(questions.values.numpy(), questions.offsets[1:-1])
        ]
    )
    for line, own in zip(scores, exclude):
        line[own] = -np.inf
    return scores


def questions():
    values, offsets = documents(7, seed=5)
    return Ragged(torch.from_numpy(values), torch.from_numpy(offsets))


def test_rows_of_unequal_length_come_back(table):
    values, offsets = documents()
    found, ends = tokens_of(table.at(np.array([4, 89, 4]), ("vector",)))
    wanted = [values[offsets[i] : offsets[i + 1]] for i in (4, 89, 4)]
    assert np.array_equal(found, np.concatenate(wanted)) and ends.tolist() == [0, *np.cumsum([len(one) for one in wanted])]
    streamed = [tokens_of(batch) for batch in open_table(table.path).stream(40, ("vector",))]
    assert np.array_equal(np.concatenate([some for some, _ in streamed]), values)


@pytest.mark.parametrize("piece", [7, 512])
def test_the_best_of_all_rows_are_found_piece_by_piece(table, monkeypatch, piece):
    monkeypatch.setattr(module, "PIECE", piece)
    scores = brute(questions())
    hits = search(table, questions(), 12)
    assert [[hit.id for hit in line] for line in hits] == [[f"d{i}" for i in np.argsort(-line)[:12]] for line in scores]
    np.testing.assert_allclose([[hit.score for hit in line] for line in hits], -np.sort(-scores)[:, :12], rtol=1e-5)


def test_conditions_and_the_row_itself(table):
    scores = brute(questions(), exclude=range(7))
    hits = search(table, questions(), N, exclude=[f"d{i}" for i in range(7)])
    assert [len(line) for line in hits] == [N - 1] * 7
    assert [[hit.id for hit in line] for line in hits] == [[f"d{i}" for i in np.argsort(-line)[:-1]] for line in scores]
    some = search(table, questions(), 5, where="label = '1'")
    assert all(hit.label == "1" for line in some for hit in line) and [len(line) for line in some] == [5] * 7
    assert search(table, questions(), 5, where="label = 'x'") == [[]] * 7


def test_what_cannot_be_compared_is_named(table):
    wide = Ragged(torch.ones(3, DIM + 1), torch.tensor([0, 3]))
    with pytest.raises(TacitError, match="have 9 numbers"):
        search(table, wide)
    with pytest.raises(TacitError, match="vectors of tokens, several for each"):
        table.vectors()
    with pytest.raises(TacitError, match="0 hits"):
        search(table, questions(), 0)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    images = tiny_images(80)
    run = tacit.pretrain(images, "simclr", out=folder / "run", encoder="small_vit", width=16, depth=1, heads=1, **QUICK)
    return run, images, folder


@pytest.mark.parametrize("pool", [1, 3])
def test_a_table_holds_the_patches_of_a_run(pictures, pool):
    run, images, folder = pictures
    table = tacit.embed(run, images, out=folder / f"pool{pool}.lance", tokens=True, pool=pool, batch=30)
    content, _ = run.open(images).read(np.arange(80))
    (view,) = run.views.look(content, np.arange(80), 0, "plain")[0][None]
    with torch.no_grad():
        patches = run.encoder.tokens(view)
    n, t, _ = patches.shape
    wanted = pooled(Ragged(unit(patches.flatten(0, 1)), torch.arange(n + 1) * t), pool)
    values, offsets = tokens_of(table.at(np.arange(80), ("vector",)))
    assert offsets.tolist() == wanted.offsets.tolist() and (pool == 1 or len(values) < n * t / 2)
    np.testing.assert_allclose(values, wanted.values, atol=1e-5)
    first, second = tacit.search(table, table.ids()[3], top=2)
    own = Ragged(wanted.values[offsets[3] : offsets[4]], torch.tensor([0, offsets[4] - offsets[3]]))
    scores = module.maxsim(own, wanted)[0].numpy()
    scores[3] = -np.inf
    assert [first.id, second.id] == [table.ids()[i] for i in np.argsort(-scores)[:2]]


def test_words_find_their_own_text(tmp_path):
    pytest.importorskip("tokenizers")
    from tacit.data.text.generated import topics

    texts = topics(60)
    strings = texts.texts.take(texts.rows).to_pylist()
    source = from_strings(strings, "texts")
    run = tacit.pretrain(source, "simcse", out=tmp_path / "run", encoder="text_transformer", width=16, depth=1, **QUICK)
    table = tacit.embed(run, source, out=tmp_path / "texts.lance", tokens=True)
    assert tacit.search(table, strings[7], top=1)[0].text == strings[7]
    assert tacit.search_all(table, source, out=tmp_path / "found.parquet", top=3) == 60
    for how, said in (({"codes": "scalar"}, "no codes"), ({"funnel": True}, "no codes")):
        with pytest.raises(TacitError, match=said):
            tacit.search(table, strings[7], **how)
    np.save(tmp_path / "q.npy", np.ones((2, 16), np.float32))
    with pytest.raises(TacitError, match="one vector for each query"):
        tacit.search_all(table, tmp_path / "q.npy", out=tmp_path / "none.parquet")
    with pytest.raises(TacitError, match="--tokens and --pool as they were"):
        tacit.embed(run, source, out=table.path, append=True)


def test_what_has_no_tokens_is_named(trained, cloth, tmp_path):
    with pytest.raises(TacitError, match="no vectors of tokens"):
        tacit.embed(trained, cloth, out=tmp_path / "x.lance", tokens=True)
    with pytest.raises(TacitError, match="--pool is 2"):
        tacit.embed(trained, cloth, out=tmp_path / "x.lance", pool=2)
    assert not (tmp_path / "x.lance").exists()


def test_old_tables_have_a_pool_of_one():
    made = Provenance("r", "0", "dense", "cosine", 4, "image", "0")
    saved = made.metadata()[b"tacit"].replace(b', "pool": 1', b"")
    assert Provenance.from_metadata({b"tacit": saved}) == made != replace(made, pool=2)
