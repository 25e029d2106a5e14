"""The report: complete, escaped, self-contained, written beside and renamed."""

import io
import math
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
import torch
from PIL import Image

from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.examples import Crossing, crossing
from tacit.evaluation.gallery import Gallery, Shown, Strip
from tacit.evaluation.number import Number, missing
from tacit.evaluation.report import Map, _places, write_report
from tacit.evaluation.unlabelled.scores import score_histograms

EVIL = "<script>alert('&')</script>"


def picture(kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (255, 0, 0)).save(file, kind)
    return file.getvalue()


def everything():
    knn = Number("knn", 0.8, 0.7, 0.9, {"k": 20, "test": 50, "notes": [EVIL]})
    return {
        "facts": {"method": EVIL, "options": {"dim": 128, "temperature": 0.1}},
        "history": [
            {"stage": 0, "step": i, "loss": 3.0 / (i + 1), "lr": 1e-3, "spread": None if i % 2 else 0.5, "note": EVIL}
            for i in range(20)
        ],
        "evaluation": Evaluation(
            {EVIL: [knn, missing("linear", EVIL)], "raw input": [Number("knn", 0.5, 0.4, 0.6, {"k": 20})]}
        ),
        "spectrum": torch.tensor([3.0, 2.0, 1.0]),
        "map": Map(torch.randn(30, 2), [EVIL, "b", ""] * 10, [f"{EVIL}{i}" for i in range(30)]),
        "neighbours": [
            Strip(
                Shown(EVIL, picture(), "cat"),
                [Shown("a", picture("JPEG"), "cat", 0.93), Shown("b", picture("WEBP"), EVIL, 0.5)],
            ),
            Strip(Shown("text " + EVIL), [Shown("c")]),
            Strip(Shown("a", label="cat", text=EVIL), [Shown("b", label="cat", score=0.5, text="Cats purr.")]),
            Strip(Shown("a/long/path/00012", values=[1.0]), [Shown("c", values=[0.0])]),
        ],
        "lead": EVIL,
        "examples": [Gallery(EVIL, EVIL, [Shown("d", values=[0.5, -9.0, math.nan], note=EVIL, score=-0.25)])],
        "crossing": (crossing(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1])), [EVIL, "b"]),
        "clusters": [Gallery("Cluster 1", "", [Shown("e")])],
        "similarities": {EVIL: score_histograms(torch.randn(9, 4), torch.randn(9, 4))},
        "advice": [EVIL],
    }


def test_whole_report(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, title=EVIL, **everything())
    page = path.read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page) and "url(" not in page and "@import" not in page
    for expected in (
        "80.0 %",
        "70.0–90.0",
        "learning rate",
        "kNN accuracy",
        "image/jpeg",
        "image/webp",
        "0.93",
        "cat ✓",
        "−0.25",
        ">…h/00012<",
        '<div class="strip texts">',
        "<p>Cats purr.</p>",
        "Bars: ",
    ):
        assert expected in page
    body = re.sub(r"<!doctype html>|<meta[^>]*>|<style>.*?</style>", "", page, flags=re.S).replace("<img", "<img/><img")
    xml.fromstring(re.sub(r"<img/>|<img[^>]*>", "", body))  # every element is closed


def test_the_least(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, title="empty", facts={})
    assert "<h2>" not in path.read_text()


def test_stages_have_their_own_curves(tmp_path):
    path = tmp_path / "report.html"
    history = [{"stage": stage, "epoch": i, "step": i + 1, "loss": float(i)} for stage in (0, 1) for i in range(3)]
    write_report(path, title="two", facts={}, history=history)
    page = path.read_text()
    assert "Stage 1 of 2" in page and "Stage 2 of 2" in page and page.count("<polyline") == 2


def test_curves_stand_over_epochs(tmp_path):
    """Epochs of 4 steps: lines within one, and what was observed at its end."""
    path = tmp_path / "report.html"
    logged = [{"stage": 0, "epoch": (step - 1) // 4, "step": step, "loss": 1.0 / step} for step in (3, 6, 9, 12)]
    observed = [{"stage": 0, "epoch": epoch, "step": 4 * epoch + 4, "knn": 0.3 + epoch / 10} for epoch in range(3)]
    write_report(path, title="epochs", facts={}, history=[*logged, *observed])
    page = path.read_text()
    assert page.count("<svg") == 2 and page.count(">epoch</text>") == 2 and ">step</text>" not in page
    assert page.index(">loss<") < page.index(">kNN accuracy, online<") and "looked at and not learned from" in page
    at, unit = _places([*logged, *observed])
    assert at == [0.75, 1.5, 2.25, 3.0, 1.0, 2.0, 3.0] and unit == "epoch"


def test_epochs_of_unequal_length_keep_to_their_place():
    """A plan made the second epoch short."""
    steps = {10: 0, 20: 0, 22: 1, 30: 2}
    at, _ = _places([{"epoch": epoch, "step": step} for step, epoch in steps.items()])
    assert at == [0.5, 1.0, 1.1, 2.0]
    assert _places([{"step": 5}, {"step": 9, "epoch": 1}]) == ([5.0, 9.0], "step")


@pytest.mark.parametrize("history", [[], [{"stage": 0, "epoch": 0, "step": 1, "loss": 1.0}]])
def test_a_short_log_is_no_history(history, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, title="short", facts={}, history=history)
    assert "Training" not in path.read_text()


def test_gaps_and_infinities_are_drawn(tmp_path):
    path = tmp_path / "report.html"
    history = [{"step": 0, "loss": math.nan}, {"step": 1, "loss": math.inf}, {"step": 2, "loss": 1.0}, {"step": 3}]
    write_report(path, title="gaps", facts={}, history=history)
    assert "last 1<" in path.read_text()


def test_large_maps_are_thinned(tmp_path):
    path = tmp_path / "report.html"
    n = 4000
    write_report(path, title="map", facts={}, map=Map(torch.randn(n, 2), [""] * n, [str(i) for i in range(n)]))
    page = path.read_text()
    assert "3000 of 4000 samples" in page and page.count("<circle") == 3000


def test_an_unreadable_thumbnail_leaves_the_old_report(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(TacitError, match="neither PNG"):
        write_report(path, title="x", facts={}, neighbours=[Strip(Shown("a", b"GIF89a"), [])])
    assert path.read_text() == "old"


def test_a_map_of_unequal_lengths(tmp_path):
    with pytest.raises(TacitError, match="one of each"):
        write_report(tmp_path / "r.html", title="x", facts={}, map=Map(torch.zeros(3, 2), ["a"], ["b"]))


def test_verdict_then_next_then_pictures_then_curves_then_protocol(tmp_path):
    write_report(tmp_path / "r.html", title="x", **everything())
    page = (tmp_path / "r.html").read_text()
    found = re.findall(r"<h2>(.*?)</h2>", page)
    assert found == [
        "What to do next",
        "How good it is",
        "Nearest neighbours",
        "Typical and unusual samples",
        "Clusters",
        "Map",
        "Similarity of views",
        "Training",
        "Spectrum",
        "What was trained",
        "How the numbers were measured",
    ]
    assert page.index('class="verdict"') < page.index("<h2>") and page.count('class="under"') == len(found) - 1


def test_every_chart_has_a_text_alternative(tmp_path):
    write_report(tmp_path / "r.html", title="x", **everything())
    for head in re.findall(r"<svg[^>]*>", (tmp_path / "r.html").read_text()):
        assert "aria-label" in head or "aria-hidden" in head  # what is hidden is written beside it


def test_clusters_that_are_left_out_are_counted(tmp_path):
    table = Crossing(np.array([[8, 2], [1, 9]]), [3, 1], np.array([0, 4]), 0.7, 5)
    write_report(tmp_path / "r.html", title="x", facts={}, crossing=(table, ["a", "b", "c", "a very long name indeed"]))
    page = (tmp_path / "r.html").read_text()
    assert "70.0 % of the samples" in page and "5 clusters" in page and ">others<" in page and "a very l… indeed" in page
    assert "Most mixed: 2 samples of class b lie in the cluster of class a very long name indeed." in page
    assert "--share:80%" in page and "--share:64%" in page and ">14<" in page


def test_numbers_that_come_second_are_folded(tmp_path):
    numbers = [Number(name, 0.5, 0.4, 0.6, {"k": 20}) for name in ("knn", "ari", "nmi")]
    write_report(tmp_path / "r.html", title="x", facts={}, evaluation=Evaluation({"this encoder": numbers}))
    assert "2 further numbers" in (tmp_path / "r.html").read_text()
    write_report(tmp_path / "r.html", title="x", facts={}, evaluation=Evaluation({"this encoder": numbers[1:]}))
    assert "further numbers" not in (tmp_path / "r.html").read_text()


def test_the_overlap_is_said(tmp_path):
    overlap = Number("score_overlap", 0.031, 0.02, 0.04)
    write_report(
        tmp_path / "r.html",
        title="x",
        facts={},
        evaluation=Evaluation({"this encoder": [overlap]}),
        similarities={name: score_histograms(torch.randn(9, 4), torch.randn(9, 4)) for name in ("this encoder", "raw input")},
    )
    page = (tmp_path / "r.html").read_text()
    assert "3.1 % with this encoder." in page and page.count('class="area" points') == 2


def test_scores_over_training_are_one_chart(tmp_path):
    names = [f"{kind}_{part}" for kind in ("positive", "negative") for part in ("low", "median", "high")]
    lines = [{"stage": 0, "step": i, "epoch": i, "loss": 1.0, **dict(zip(names, np.linspace(-1, 1, 6)))} for i in range(3)]
    write_report(tmp_path / "report.html", title="t", facts={}, history=lines)
    page = (tmp_path / "report.html").read_text()
    assert page.count("scores of positives and of negatives") == 2  # its title and its text alternative
    assert "positive median" not in page and 'class="other"' in page
