"""Texts from the command line as typed: a run, scored pairs, judged queries, labels, a search in words."""

import json

import numpy as np
import pytest

import tacit
from tacit.cli import run as cli
from tacit.data.text.generated import topics
from tacit.data.text.opening import from_strings
from tacit.run import Run

FEW = ["--epochs", "1", "--batch", "64", "--quiet", "--device", "cpu"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run of SimCSE on texts of eight subjects, and these texts as lines, lists, pairs and judged queries."""
    home = tmp_path_factory.mktemp("texts")
    samples = topics(400)
    texts, subject = samples.said(range(400)), samples.labels
    (home / "corpus.txt").write_text("\n".join(texts))
    rows = [json.dumps({"text": text, "label": int(label)}) for text, label in zip(texts, subject)]
    (home / "labelled.jsonl").write_text("\n".join(rows))
    pairs = [(5.0 * (subject[i] == subject[i + 8 - i % 2]), texts[i], texts[i + 8 - i % 2]) for i in range(390)]
    lines = [f"{score}\t{a}\t{b}" for score, a, b in pairs]
    (home / "sts").mkdir()
    for part, some in (("train", lines[:200]), ("test", lines[200:])):
        (home / "sts" / f"{part}.tsv").write_text("\n".join(["score\tsentence1\tsentence2", *some]))
    (home / "found").mkdir()
    documents = [json.dumps({"_id": f"d{i}", "text": text}) for i, text in enumerate(texts[:80])]
    queries = [json.dumps({"_id": f"q{i}", "text": texts[i].split(" ", 2)[2]}) for i in range(10)]
    (home / "found" / "corpus.jsonl").write_text("\n".join(documents))
    (home / "found" / "queries.jsonl").write_text("\n".join(queries))
    (home / "found" / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *(f"q{i}\td{i}\t1" for i in range(10))]))
    assert cli(["pretrain", str(home / "corpus.txt"), "--method", "simcse", "--out", str(home / "run"), *FEW]) == 0
    return home


def test_scored_pairs_are_judged_on_their_test_part(home, capsys):
    assert cli(["evaluate", str(home / "run"), str(home / "sts"), "--device", "cpu"]) == 0
    assert "Likeness in meaning, Spearman" in capsys.readouterr().out
    found = tacit.evaluate(home / "run", home / "sts", device="cpu")
    number = found.number("this encoder", "sts_spearman")
    assert number.protocol["test"] == 190 and number.protocol["split"] == "the declared test part"
    assert list(found.representations) == ["this encoder", "untrained encoder", "raw input"]
    assert "190 scored pairs" in (home / "run" / "report.html").read_text()


def test_queries_find_their_documents_beside_bm25(home, capsys):
    assert cli(["evaluate", str(home / "run"), str(home / "found"), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "BM25" in said and "Recall at 100" in said
    found = tacit.evaluate(home / "run", home / "found", device="cpu")
    assert (
        found.number("BM25", "ndcg_at_10").value == pytest.approx(1.0) and found.number("raw input", "ndcg_at_10").value > 0.9
    )


def test_labels_are_judged_as_of_other_kinds(home):
    found = tacit.evaluate(home / "run", home / "labelled.jsonl", device="cpu")
    assert found.number("this encoder", "knn").value > 0.3 and found.number("raw input", "linear").value > 0.3


def test_a_table_is_searched_with_words_and_with_ids(home, capsys, monkeypatch):
    monkeypatch.chdir(home)
    assert cli(["embed", "run", "corpus.txt", "--out", "texts.lance", "--device", "cpu"]) == 0
    first = (home / "corpus.txt").read_text().splitlines()[6]
    hits = tacit.search("texts.lance", first, top=3, device="cpu")
    assert hits[0].id == "00007" and hits[0].text == first and hits[0].score == pytest.approx(1.0, abs=1e-4)
    capsys.readouterr()
    assert cli(["search", "texts.lance", "00007", "--top", "2"]) == 0
    assert len(capsys.readouterr().out.split()) > 20 and (home / "search.png").exists()


def test_a_preview_shows_the_words(home, tmp_path):
    assert tacit.preview(home / "corpus.txt", "simclr", out=tmp_path / "a.png").stat().st_size > 2000


def test_the_run_embeds_with_its_own_tokenizer(home):
    run = Run(home / "run", "cpu")
    other = from_strings(["unheard of words 😀", "kakaka lolo"])
    assert run.embed(other).shape == (2, 256) and np.isfinite(run.embed(other).numpy()).all()
    assert run.open(other).tokenised.by.written == run.facts.more["tokenizer"]
