"""The panel: what comes, what is named, what is compared."""

import json
import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.evaluation.comparison import Evaluation
from tacit.evaluation.number import Number
from tacit.evaluation.panel import OF_VIEWS, WITH_LABELS, WITHOUT_LABELS, Judged, judge

LABEL_FREE = [*WITHOUT_LABELS]
LABELLED = ["knn", *(name for names in WITH_LABELS for name in names)]


def part(n, seed, noise=0.3, classes=3):
    g = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % classes
    centres = torch.randn(classes, 8, generator=torch.Generator().manual_seed(99))
    return Judged(centres[labels] + noise * torch.randn(n, 8, generator=g), labels)


def by_name(numbers):
    return {n.name: n for n in numbers}


def looks(part):
    return part.features[:, None] + 0.1 * torch.randn(len(part.features), 4, 8, generator=torch.Generator().manual_seed(9))


def test_everything():
    test = part(60, 1)
    numbers = by_name(judge(part(120, 0), test, views=(test.features, test.features + 0.1), looks=looks(test)))
    assert list(numbers) == [*LABELLED, *LABEL_FREE, *OF_VIEWS, "lidar"]
    missing = {n.name for n in numbers.values() if math.isnan(n.value)}
    assert missing <= {"alpha_req", "low_label_1", "r_auroc"} and all(numbers[name].why for name in missing)
    assert "14 are needed" in numbers["alpha_req"].why  # these have 8 dimensions
    assert numbers["knn"].value > 0.9 and numbers["linear"].value > 0.9
    assert numbers["knn"].protocol["classes"] == 3


def test_only_what_is_asked_for():
    numbers = by_name(judge(part(120, 0), part(60, 1), only={"knn", "nmi", "rankme"}))
    assert list(numbers) == ["knn", "nmi", "rankme"]
    assert numbers["nmi"] == by_name(judge(part(120, 0), part(60, 1)))["nmi"]


def test_without_labels_only_what_needs_none():
    assert [n.name for n in judge(Judged(part(50, 0).features), part(50, 1))] == LABEL_FREE
    assert [n.name for n in judge(part(50, 0), Judged(part(50, 1).features))] == LABEL_FREE


def test_unlabelled_samples_are_left_out():
    x, y = part(90, 0)
    mixed = Judged(torch.cat([x, 100 * torch.ones(20, 8)]), torch.cat([y, torch.full((20,), -1)]))
    assert by_name(judge(mixed, part(60, 1)))["knn"] == by_name(judge(Judged(x, y), part(60, 1)))["knn"]


def test_one_class():
    numbers = by_name(judge(Judged(part(50, 0).features, torch.full((50,), 4)), part(50, 1)))
    assert "all 50 train labels are the same" in numbers["knn"].why
    assert math.isnan(numbers["linear"].value) and math.isfinite(numbers["rankme"].value)


def test_classes_with_one_sample_and_unseen_classes_are_noted():
    x, y = part(60, 0)
    y = y.clone()
    y[0] = 9
    test = part(30, 1)
    labels = test.labels.clone()
    labels[:2] = 8
    notes = by_name(judge(Judged(x, y), Judged(test.features, labels)))["knn"].protocol["notes"]
    assert notes[0] == "1 of 4 classes have a single train sample"
    assert notes[1].startswith("2 of 30 test samples are of classes that no train sample has")


def test_fewer_samples_than_k():
    numbers = by_name(judge(part(6, 0), part(6, 1)))
    assert numbers["knn"].protocol["k"] == 6 and numbers["knn"].protocol["k_clipped_from"] == 20
    assert "too few" in numbers["linear"].why


def test_nan_embeddings():
    x, y = part(60, 1)
    x[7, 2] = torch.nan
    numbers = by_name(judge(part(90, 0), Judged(x, y), views=(part(60, 1).features, part(60, 2).features)))
    assert numbers["rankme"].why == "1 of 60 test embeddings are not finite, the first at row 7."
    assert math.isnan(numbers["knn"].value) and math.isfinite(numbers["alignment"].value)


def test_equal_embeddings():
    y = torch.arange(60) % 3
    same = Judged(torch.ones(60, 8), y)
    numbers = by_name(judge(same, same))
    assert "all 60 train embeddings are equal" in numbers["knn"].why
    assert numbers["rankme"].value == pytest.approx(1, rel=1e-3) and numbers["spread"].value == pytest.approx(0, abs=1e-5)
    assert "collapsed" in numbers["spread"].protocol["notes"][0]


def test_another_similarity_is_named():
    numbers = by_name(judge(part(60, 0), part(60, 1), similarity="hyperbolic"))
    assert "no kNN by hyperbolic similarity" in numbers["knn"].why and numbers["linear"].value > 0.9


def test_empty():
    nothing = Judged(torch.zeros(0, 8), torch.zeros(0, dtype=torch.int64))
    numbers = judge(nothing, nothing)
    assert all(math.isnan(n.value) and n.why.startswith("there are 0") for n in numbers)


def test_wrong_shapes():
    with pytest.raises(TacitError, match="one row per sample"):
        judge(Judged(torch.zeros(3, 4, 5)), Judged(torch.zeros(3, 4)))
    with pytest.raises(TacitError, match="give one each"):
        judge(Judged(torch.zeros(3, 4), torch.zeros(2)), Judged(torch.zeros(3, 4)))


def accuracy(value, n=500):
    half = 0.04
    return [Number("knn", value, value - half, value + half, {"test": n}), Number("rankme", 10.0, math.nan, math.nan)]


def test_verdict():
    found = Evaluation({"this encoder": accuracy(0.8), "raw input": accuracy(0.658), "the untrained encoder": accuracy(0.79)})
    assert found.verdict == [
        "kNN accuracy is 14.2 points above raw input and 1.0 points above the untrained encoder; "
        "the difference from the untrained encoder is within the noise of 500 samples."
    ]
    assert Evaluation({"a": accuracy(0.5), "b": accuracy(0.7)}).verdict == ["kNN accuracy is 20.0 points below b."]
    assert Evaluation({"a": accuracy(0.5), "b": accuracy(0.5)}).verdict == ["kNN accuracy is level with b."]
    assert Evaluation({"a": accuracy(0.5)}).verdict == []


def test_a_reason_that_all_share_is_said_once():
    missing = [Number("knn", math.nan, math.nan, math.nan, {}, "there are too few.")]
    found = Evaluation({"a": missing, "b": missing})
    assert found.notes == ["kNN accuracy of a and b: there are too few."]


def test_table_and_json():
    found = Evaluation({"this encoder": judge(part(90, 0), part(60, 1)), "raw": judge(part(6, 0), part(60, 1, noise=3.0))})
    lines = str(found).splitlines()
    assert lines[0].split() == ["this", "encoder", "raw"]
    assert lines[2].startswith("kNN accuracy") and "%" in lines[2]
    assert any("Linear probe accuracy" in line and "of raw: 6 train samples are too few" in line for line in lines)
    json.dumps(found.as_dict(), allow_nan=False)
    with pytest.raises(TacitError, match="nothing to compare"):
        Evaluation({})
