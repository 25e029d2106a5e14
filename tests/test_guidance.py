"""What is advised is what was measured, and there is advice for every kind and number."""

import json
from pathlib import Path

import pytest

import tacit
from tacit import guidance
from tacit.data.generated import tiny_images
from tacit.methods import keys
from tacit.pretraining import pretrain

MEASURED = json.loads(Path(guidance.__file__).with_name("guidance.json").read_text())


@pytest.mark.parametrize("n", [2, 4_999, 5_000, 10**9])
@pytest.mark.parametrize("kind", ["image", "vector", "pair"])
def test_there_is_always_a_method(kind, n):
    advice = guidance.advise(kind, n)
    assert advice.method in keys() and advice.method in advice.why


def test_the_best_of_the_measured_is_named():
    assert MEASURED["image"]
    for band in MEASURED["image"]:
        assert guidance.advise("image", band["above"] + 2).method == band["method"]
        assert band["all"][band["method"]] == max(band["all"].values()) == band["points"]


def test_who_names_no_method_gets_the_advised_one(tmp_path):
    how = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True, "width": 8}
    run = pretrain(tiny_images(96, size=12), out=tmp_path / "run", **how)
    assert run.config.method == guidance.advise("image", 96).method
    assert guidance.advise("image", 96).why in run.config.chosen


def test_a_method_that_is_named_is_taken(tmp_path):
    how = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True, "width": 8}
    run = tacit.pretrain(tiny_images(96, size=12), "npid", out=tmp_path / "run", **how)
    assert run.config.method == "npid" and not any("measure" in why for why in run.config.chosen)
