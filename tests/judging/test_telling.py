"""The report that `evaluate` writes: what it says and shows of a run, whatever the data."""

import math

import numpy as np
import pytest
import torch

from tacit.data.generated import clusters, pairs, tiny_images
from tacit.data.vectors import VectorArrays
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.number import Number
from tacit.judging.telling import EXAMPLES, Cast, _crossing, _examples, _groups, _looks, _strips, advice, history, some, tell
from tacit.pretraining import pretrain


def test_the_log_is_read(trained, tmp_path):
    assert [line["step"] for line in history(trained.path)] == sorted(line["step"] for line in history(trained.path))
    assert history(tmp_path) == []


def number(name, value, half=math.nan):
    return Number(name, value, value - half, value + half)


@pytest.mark.parametrize(
    "mine, raw, spread, words",
    [
        (0.9, 0.5, 0.5, ["neither clearly better nor worse"]),  # no intervals, nothing clear
        (number("knn", 0.48, 0.05), number("knn", 0.5, 0.05), 0.5, ["neither clearly better nor worse"]),
        (number("knn", 0.4, 0.02), number("knn", 0.5, 0.05), 0.5, ["are worse than those of raw input: train longer"]),
        (number("knn", 0.4, 0.02), number("knn", 0.5, 0.05), 0.01, ["train longer", "collapsed"]),
    ],
)
def test_advice(mine, raw, spread, words):
    mine, raw = (found if isinstance(found, Number) else number("knn", found) for found in (mine, raw))
    found = advice(Evaluation({"this encoder": [mine, number("spread", spread)], "raw input": [raw]}))
    assert len(found) == len(words) and all(word in said for word, said in zip(words, found))


def test_advice_where_there_are_no_labels():
    assert "have no labels" in advice(Evaluation({"this encoder": [number("spread", 0.5)], "raw input": []}))[0]


def test_a_log_that_was_cut_is_read_to_its_last_whole_line(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step"')
    assert history(tmp_path) == [{"step": 1}]


def test_advice_to_use_what_is_better():
    knn = [Number("knn", 0.9, 0.88, 0.92)], [Number("knn", 0.5, 0.45, 0.55)]
    (said,) = advice(Evaluation(dict(zip(("this encoder", "raw input"), knn))))
    assert "tacit search" in said


@pytest.fixture
def cast():
    samples = clusters(120, dim=16, classes=3)
    return Cast(samples, samples.read(np.arange(120))[0].values)


def test_at_most_some_in_their_order():
    samples = clusters(50, dim=8)
    assert some(samples, 60) is samples
    assert (
        list(some(samples, 10).ids) == sorted(some(samples, 10).ids, key=list(samples.ids).index)
        and len(some(samples, 10)) == 10
    )


def test_what_is_seen_of_each_kind():
    images, vectors = tiny_images(6), clusters(6, dim=8)
    assert {image[:4] for image, _ in _looks(images, [4, 2, 2]).values()} == {b"\x89PNG"} and set(_looks(images, [4, 2])) == {
        2,
        4,
    }
    image, values = _looks(vectors, [3])[3]
    x = vectors.read(np.arange(6))[0].values.numpy().astype(np.float64)
    assert image == b"" and values == pytest.approx(((x - x.mean(0)) / x.std(0))[3], abs=1e-5)
    both = pairs(6, dim=8)
    assert _looks(both, [1]) == _looks(both.first, [1])


def test_a_constant_column_has_no_height():
    rows = VectorArrays("rows", np.ones((4, 3), np.float32), np.arange(4), list("abcd"))
    assert _looks(rows, [0])[0] == (b"", [0.0, 0.0, 0.0])


def test_strips_and_examples_hold_what_they_say(cast):
    for strip in _strips(cast):
        assert strip.query.id not in {hit.id for hit in strip.hits} and len(strip.hits) == 8
        scores = [hit.score for hit in strip.hits]
        assert scores == sorted(scores, reverse=True)
    most, least, *wrong = _examples(cast)
    assert len(most.samples) == len(least.samples) == EXAMPLES
    assert min(shown.score for shown in most.samples) >= max(shown.score for shown in least.samples)
    assert all(shown.label not in shown.note.partition(": ")[2] for group in wrong for shown in group.samples)


def test_clusters_with_and_without_classes(cast):
    found, names = _crossing(cast)
    assert found.counts.sum() + found.others.sum() == 120 and names == cast.samples.classes
    groups = _groups(cast)
    assert sum(int(group.about.split()[0]) for group in groups) == 120
    sizes = [int(group.about.split()[0]) for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    cast.samples.labels = np.full(120, -1)
    assert _crossing(cast) is None and len(_examples(cast)) == 2


QUICK = {"epochs": 1, "batch": 16, "device": "cpu", "precision": "fp32", "quiet": True}
FREE = Evaluation({"this encoder": [Number("spread", 0.5, math.nan, math.nan)], "raw input": []})


def test_a_report_of_numbers_without_labels(tmp_path):
    samples = clusters(60, dim=8)
    samples.labels = None
    run = pretrain(samples, "simclr", out=tmp_path / "run", **QUICK)
    tell(run, samples, tmp_path / "page.html", FREE)
    page = (tmp_path / "page.html").read_text()
    for words in (
        "have no labels",
        "Nearest neighbours",
        "Cluster 1",
        "Most typical",
        "Similarity of views",
        'class="profile"',
    ):
        assert words in page
    assert '<table class="heat"' not in page and "confidence" not in page


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_report_of_few_samples(n, tmp_path):
    run = pretrain(clusters(60, dim=8), "simclr", out=tmp_path / "run", **QUICK)
    tell(run, clusters(60, dim=8).take(np.arange(n)), tmp_path / "page.html", FREE)
    assert "Nearest neighbours" not in (tmp_path / "page.html").read_text()


def test_the_generator_of_torch_is_left_as_it_was(cast):
    before = torch.default_generator.get_state()
    _crossing(cast), _groups(cast)
    assert torch.equal(before, torch.default_generator.get_state())
