"""`regimes`: which encoders and which samples, and that the run stays as it was."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tacit.data.generated import clusters, pairs, tiny_images
from tacit.errors import TacitError
from tacit.evaluation.labelled.linear import linear
from tacit.judging.adapting import regimes
from tacit.pretraining import pretrain
from tests.contracts.probes import Curved, Origin

SMALL = {"examples": (2, 8), "shuffles": 2, "steps": 3}
QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


def test_an_encoder_in_every_regime_beside_its_untrained_self(trained):
    before = {name: value.clone() for name, value in trained.encoder.state_dict().items()}
    samples = tiny_images(120)
    found = regimes(trained, samples, **SMALL)
    assert list(found.encoders) == ["this encoder", "untrained encoder"]
    assert found.regimes == ["frozen", "2 labels", "8 labels", "fine-tuned"]
    for numbers in found.encoders.values():
        for number in numbers.values():
            assert math.isfinite(number.value) and number.protocol["test"] == 24
            assert number.protocol["split"] == "declared by the source: 96 train, 24 test"
            assert number.protocol["encoder"] == "small_resnet"
    sides = [samples.split(name) for name in ("train", "test")]
    (x, y), (u, v) = ((trained.embed(side), torch.from_numpy(side.labels)) for side in sides)
    assert found.encoders["this encoder"]["frozen"].value == pytest.approx(linear(x, y, u, v).value, abs=0.05)
    assert all(torch.equal(before[name], value) for name, value in trained.encoder.state_dict().items())
    assert found.as_dict() == regimes(trained.path, samples, device="cpu", **SMALL).as_dict()
    assert "Points above frozen" in str(found)


def test_a_large_test_part_is_cut_and_the_unlabelled_are_left_out(trained):
    samples = tiny_images(200)
    samples.labels = np.where(np.arange(200) % 4 == 0, -1, samples.labels)
    found = regimes(trained, samples, test=10, **SMALL)
    known = int((samples.split("train").labels >= 0).sum())
    for numbers in found.encoders.values():
        assert {n.protocol["test"] for n in numbers.values()} == {10} and numbers["frozen"].protocol["train"] == known


@pytest.mark.parametrize(("method", "data"), [("simclr", lambda: clusters(120, dim=16)), (Curved, lambda: pairs(120, dim=8))])
def test_other_kinds_of_data(tmp_path, method, data):
    run = pretrain(data(), method, out=tmp_path / "run", **QUICK)
    found = regimes(run, data(), **SMALL)
    assert all(math.isfinite(n.value) for numbers in found.encoders.values() for n in numbers.values())


def test_what_cannot_be_judged(trained, tmp_path):
    unlabelled = tiny_images(60)
    unlabelled.labels = None
    for samples in (unlabelled, replace(tiny_images(60), labels=np.full(60, -1))):
        with pytest.raises(TacitError, match="no labels in both"):
            regimes(trained, samples)
    with pytest.raises(TacitError, match="test is 0"):
        regimes(trained, tiny_images(60), test=0)
    run = pretrain(clusters(120, dim=16), Origin, out=tmp_path / "run", **QUICK)
    with pytest.raises(TacitError, match="no encoder that could be trained"):
        regimes(run, clusters(120, dim=16))
