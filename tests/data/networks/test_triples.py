"""Triples: what is opened as such, what is left out, what a vocabulary does not know."""

import gzip

import numpy as np
import pytest
import torch

import tacit
from tacit.data.networks.triples import Triples, from_names, generated_tree, holds_triples
from tacit.errors import TacitError

TRAIN = "a\tlikes\tb\nb\tlikes\tc\nc\thates\ta\na\tlikes\tc\n"


@pytest.fixture
def graph(tmp_path):
    (tmp_path / "train.tsv").write_text(TRAIN)
    (tmp_path / "valid.tsv").write_text("b\tlikes\ta\n")
    (tmp_path / "test.tsv").write_text("c\tlikes\tb\nz\tlikes\tb\na\tfears\tb\n")
    (tmp_path / "README.md").write_text("a graph")
    return tmp_path


def test_a_folder_of_splits(graph):
    samples = tacit.open(graph)
    assert samples.kind == "triples" and len(samples) == 8
    assert samples.entities == ["a", "b", "c", "z"] and samples.relations == ["fears", "hates", "likes"]
    assert samples.ids[:2] == ["train/00000", "train/00001"] and samples.ids[-1] == "test/00002"
    assert samples.splits.tolist() == ["train"] * 4 + ["val"] + ["test"] * 3
    content, bad = samples.read(np.array([2, 0]))
    assert bad == {} and isinstance(content, Triples)
    assert torch.stack(content, 1).tolist() == [[2, 1, 0], [0, 2, 1]]


def test_what_is_known_is_what_the_training_part_names(graph):
    samples = tacit.open(graph)
    facts = samples.split("train").facts()
    assert facts["entities"] == ["a", "b", "c"] and facts["relations"] == ["hates", "likes"]
    fitted = samples.fitted(facts)
    content, bad = fitted.read(np.arange(5, 8))
    assert torch.stack(content, 1).tolist() == [[2, 1, 1]]
    assert bad == {6: "the head z was not trained on", 7: "the relation fears was not trained on"}
    assert fitted.embedded().ids == ["a", "b", "c"]
    assert fitted.split("train").context.triples.tolist() == [[0, 1, 1], [1, 1, 2], [2, 0, 0], [0, 1, 2]]
    again = fitted.fitted(facts)
    assert np.array_equal(again.triples, fitted.triples)


def test_a_packed_file_a_header_and_two_columns(tmp_path):
    with gzip.open(tmp_path / "links.tsv.gz", "wt") as file:
        file.write("child\tancestor\nx\ty\ny\tz\nx\tz\n")
    samples = tacit.open(tmp_path / "links.tsv.gz")
    assert samples.relations == ["ancestor"] and len(samples) == 3 and samples.splits is None
    assert samples.notes == {"header": "child, ancestor (no triple)"}


def test_other_tables_are_no_triples(tmp_path):
    for name, text in {
        "images.tsv": "path\tlabel\na.png\tcat\nb.png\tdog\n",
        "same.tsv": "a.png\tb.png\nb.png\ta.png\n",
        "numbers.tsv": "1\t2\t3\n3\t2\t1\n2\t2\t2\n",
        "text.tsv": "a sentence\tcat\nanother\tdog\n",
        "wide.tsv": "a\tb\tc\td\nd\tb\tc\ta\n",
    }.items():
        (tmp_path / name).write_text(text)
        assert not holds_triples(tmp_path / name), name
    (tmp_path / "numbers.tsv").rename(tmp_path / "told.tsv")
    assert len(tacit.open(tmp_path / "told.tsv", "triples")) == 3


def test_lines_that_are_no_triples_are_counted_and_named(tmp_path):
    file = tmp_path / "graph.tsv"
    file.write_text(TRAIN * 100 + "a\tlikes\n")
    samples = tacit.open(file)
    assert (
        len(samples) == 400
        and "1 lines" in samples.notes["left out"]
        and "'a\\tlikes' has 2 fields" in samples.notes["left out"]
    )
    file.write_text(TRAIN + "a\tlikes\n")
    with pytest.raises(TacitError, match=r"1 of 5 lines .* are no triples"):
        tacit.open(file)
    file.write_text("")
    with pytest.raises(TacitError):
        tacit.open(file, "triples")
    file.write_text("a b c\n")
    with pytest.raises(TacitError, match="1 columns"):
        tacit.open(file, "triples")


def test_inspect_counts_what_cannot_be_ranked(graph):
    text = str(tacit.inspect(graph))
    assert "8 triples" in text and "2 triples name what no training triple does" in text and "test/00001" in text


def test_a_tree_is_closed():
    tree = generated_tree(2, 3)
    assert len(tree.entities) == 15 and len(tree) == 2 * 1 + 4 * 2 + 8 * 3


def test_names_stay_in_their_order_of_the_alphabet():
    samples = from_names([(["b", "a"], ["r", "r"], ["é", "b"])], [""])
    assert samples.entities == ["a", "b", "é"]
    assert samples.triples.tolist() == [[1, 0, 2], [0, 0, 1]]
