"""The three regimes: what each is, how they are set side by side, and what is printed."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.evaluation.intervals import student
from tacit.evaluation.labelled.fine_tuning import Part, fine_tuned, hits, tuned
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.number import Number, missing
from tacit.evaluation.regimes import Regimes, feet, few_shot_tuned, prefix


def blobs(n, seed, classes=3):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = 1.5 * torch.randn(classes, 6, generator=torch.Generator().manual_seed(9))[y] + torch.randn(n, 6, generator=g)
    return Part(lambda rows: x[torch.from_numpy(rows)], y.numpy())


def encoder(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8)).eval()


def test_every_regime_is_what_it_says():
    mine, train, test = encoder(), blobs(120, 0), blobs(60, 1)
    found = feet(mine, train, test, examples=(2, 16), shuffles=3, rates=(1e-3, 1e-2), steps=20, seed=4)
    assert list(found) == ["frozen", "2 labels", "16 labels", "fine-tuned"]
    with torch.no_grad():
        x, u = (mine(part.look(np.arange(len(part.labels)))) for part in (train, test))
    frozen = linear(x, torch.from_numpy(train.labels), u, torch.from_numpy(test.labels))
    assert found["frozen"] == frozen
    assert found["fine-tuned"] == fine_tuned(mine, train, test, (1e-3, 1e-2), 20, 4)
    scores = []
    for shuffle in range(3):
        model = tuned(mine, train, prefix(120, 16, 4, shuffle), 3e-4, 50, 4)
        scores.append(hits(model, test, np.arange(60)) / 60)
    few = found["16 labels"]
    assert few.protocol["steps"] == 50 and few.protocol["batch"] == 16
    assert few.value == pytest.approx(np.mean(scores)) and few.protocol["scores"] == scores
    assert (few.low, few.high) == pytest.approx(student(np.array(scores)))
    assert all(number.protocol["test"] == 60 for number in found.values())


def test_fewer_examples_are_among_more():
    for shuffle in range(3):
        assert prefix(100, 4, 0, shuffle).tolist() == prefix(100, 32, 0, shuffle)[:4].tolist()
    assert prefix(100, 32, 0, 0).tolist() != prefix(100, 32, 0, 1).tolist() != prefix(100, 32, 1, 1).tolist()


def test_more_labels_help():
    few, more = (few_shot_tuned(encoder(), blobs(120, 0), blobs(90, 1), n, rate=3e-3, steps=40).value for n in (2, 64))
    assert few < more and more > 0.7


def test_more_examples_than_there_are():
    number = few_shot_tuned(encoder(), blobs(20, 0), blobs(9, 1), 32)
    assert math.isnan(number.value) and "20 train samples, fewer than the 32" in number.why


def test_one_shuffle_has_no_interval():
    number = few_shot_tuned(encoder(), blobs(20, 0), blobs(9, 1), 4, shuffles=1, steps=2)
    assert math.isnan(number.low) and math.isnan(number.high) and number.protocol["interval"] == "none: one shuffle"


def test_what_makes_no_sense_is_named():
    with pytest.raises(TacitError, match="shuffles is 0"):
        few_shot_tuned(encoder(), blobs(20, 0), blobs(9, 1), 4, shuffles=0)
    with pytest.raises(TacitError, match="no regimes"):
        Regimes({})
    with pytest.raises(TacitError, match="frozen number"):
        Regimes({"this encoder": {}})


def number(name, value, half=0.02):
    return Number(name, value, value - half, value + half, {"test": 100})


@pytest.fixture
def table():
    mine = {
        "frozen": number("linear", 0.75),
        "2 labels": number("few_shot_tuned", 0.5),
        "fine-tuned": number("fine_tuned", 0.8),
    }
    fresh = {
        "frozen": number("linear", 0.4),
        "2 labels": missing("few_shot_tuned", "there are too few."),
        "fine-tuned": number("fine_tuned", 0.85),
    }
    return Regimes({"this encoder": mine, "untrained encoder": fresh})


def test_a_delta_is_absolute_and_in_points(table):
    """FEET's own README prints relative-looking signs; its script subtracts."""
    delta = table.delta
    assert "frozen" not in delta["this encoder"]
    assert delta["this encoder"]["2 labels"].value == pytest.approx(-0.25)
    tuned = delta["untrained encoder"]["fine-tuned"]
    assert tuned.value == pytest.approx(0.45)
    assert (tuned.low, tuned.high) == pytest.approx((0.45 - math.hypot(0.02, 0.02), 0.45 + math.hypot(0.02, 0.02)))
    assert delta["untrained encoder"]["2 labels"].why == "there are too few."


def test_what_is_printed(table):
    assert str(table).splitlines() == [
        "Accuracy    this encoder          untrained encoder",
        "──────────  ────────────────────  ────────────────────",
        "frozen      75.0 % (73.0–77.0) *  40.0 % (38.0–42.0)",
        "2 labels    50.0 % (48.0–52.0) *  –",
        "fine-tuned  80.0 % (78.0–82.0)    85.0 % (83.0–87.0) *",
        "",
        "Points above frozen  this encoder              untrained encoder",
        "───────────────────  ────────────────────────  ────────────────────────",
        "2 labels             −25.0 (−27.8 to −22.2) *  –",
        "fine-tuned           +5.0 (+2.2 to +7.8)       +45.0 (+42.2 to +47.8) *",
        "",
        "* the best of its row",
        "The ranking changes: frozen, first is this encoder; fine-tuned, untrained encoder.",
        "2 labels of untrained encoder: there are too few.",
    ]


def test_what_is_written(table):
    told = json.loads(json.dumps(table.as_dict(), allow_nan=False))
    assert told["regimes"]["this encoder"]["frozen"]["value"] == 0.75
    assert told["delta_points"]["this encoder"]["2 labels"]["value"] == pytest.approx(-25.0)
    assert told["delta_points"]["untrained encoder"]["2 labels"]["value"] is None
    assert len(told["notes"]) == 2


def test_a_change_of_ranks_within_the_noise_is_said():
    mine = {"frozen": number("linear", 0.75), "fine-tuned": number("fine_tuned", 0.84)}
    fresh = {"frozen": number("linear", 0.4), "fine-tuned": number("fine_tuned", 0.85)}
    told = Regimes({"this encoder": mine, "untrained encoder": fresh}).notes
    assert told == [
        "The ranking changes: frozen, first is this encoder; fine-tuned, untrained encoder (fine-tuned: within the noise)."
    ]
    fresh["frozen"] = number("linear", 0.75)
    assert Regimes({"this encoder": mine, "untrained encoder": fresh}).notes == []  # level where they are frozen
