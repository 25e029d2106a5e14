"""`fit` and `predict`: what is chosen and measured, what a head folder holds, and what is refused."""

import csv
import math
import re
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml

import tacit
from tacit.applying import fitting
from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.evaluation.intervals import wilson
from tacit.few_labels import probe
from tacit.few_labels.folds import crossed, folds
from tacit.few_labels.heads import FROZEN
from tacit.run import Run
from tests.contracts.probes import Origin

QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


@pytest.fixture(scope="module")
def easy(tmp_path_factory):
    """A run on rows whose first number tells the class, and labels of the first half."""
    place = tmp_path_factory.mktemp("easy")
    y = np.arange(160) % 2
    x = np.random.default_rng(0).normal(size=(160, 8)).astype(np.float32)
    x[:, 0] += 3 * y
    np.save(place / "rows.npy", x)
    run = tacit.pretrain(place / "rows.npy", "simclr", out=place / "run", width=16, **QUICK)
    samples = run.open(place / "rows.npy")
    return run, samples, {samples.ids[i]: ("no", "yes")[y[i]] for i in range(80)}, y


@pytest.fixture(scope="module")
def head(easy, tmp_path_factory):
    run, _, labels, _ = easy
    return tacit.fit(run, labels, out=tmp_path_factory.mktemp("heads") / "kind", abstain=0.3)


def table(file):
    with file.open() as lines:
        return list(csv.DictReader(lines))


def test_the_best_frozen_head_is_chosen_and_the_others_stand_beside_it(easy, head):
    assert set(head.numbers) == {*FROZEN, "raw input"}
    own = head.number("cross_validated").value
    assert own == max(head.numbers[name][0].value for name in FROZEN) > 0.6
    assert head.told.notes == [f"{head.told.head} was chosen among prototypes, probe, sea by cross-validated accuracy."]
    assert head.told.classes == ["no", "yes"] and sum(head.told.counts) == 80
    said = str(head)
    for part in ("Cross-validated accuracy", "the commonest class", "raw input", "Calibration error", "after temperature"):
        assert part in said


def test_the_numbers_are_those_of_cross_validation_by_hand(easy, tmp_path):
    run, samples, labels, _ = easy
    found = tacit.fit(run, labels, out=tmp_path / "head", head="probe", seed=2)
    positions = np.array([samples.ids.index(id) for id in labels])
    order = np.sort(positions)
    x = run.embed(samples)[torch.from_numpy(order)]
    y = np.array([["no", "yes"].index(labels[samples.ids[i]]) for i in order])
    held = folds(y, 5, 2)
    target = torch.from_numpy(y)
    logits = crossed(lambda rows: probe.fit(x[rows], target[rows], 2), lambda model, rows: model(x[rows]), held)
    right = int((logits.argmax(1) == target).sum())
    number = found.number("cross_validated")
    assert (number.value, number.low, number.high) == pytest.approx((right / 80, *wilson(right, 80)))
    assert found.number("majority").value == pytest.approx(max(np.bincount(y)) / 80)
    torch.testing.assert_close(found.model(x), probe.fit(x, target, 2)(x), atol=1e-4, rtol=1e-4)
    assert found.number("coverage").value == 1 and found.told.threshold == 0
    assert found.number("answered_error").value == pytest.approx(1 - right / 80)


def test_a_head_is_a_folder_that_opens_to_the_same_head(easy, head, tmp_path):
    run, _, _, _ = easy
    assert sorted(file.name for file in head.path.iterdir()) == ["head.safetensors", "head.yaml"]
    saved = yaml.safe_load((head.path / "head.yaml").read_text())
    assert saved["run"] == str(run.path.resolve()) and saved["encoder"] == run.fingerprint()
    first = tacit.predict(head, run.config.data["source"], out=tmp_path / "one.csv")
    second = tacit.predict(head.path, run.config.data["source"], out=tmp_path / "two.csv", device="cpu", batch=7)
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text() and first[1:] == second[1:]


def test_predictions_are_the_softmax_at_the_temperature_and_abstain_below_the_threshold(easy, head, tmp_path):
    run, samples, _, y = easy
    found = tacit.predict(head, run.config.data["source"], out=tmp_path / "new" / "p.csv", probabilities=True)
    rows = table(tmp_path / "new" / "p.csv")
    chances = (head.model(run.embed(samples)).double() / head.told.temperature).softmax(1)
    assert [*rows[0]] == ["id", "label", "confidence", "abstained", "p_no", "p_yes"]
    assert [row["id"] for row in rows] == list(samples.ids)
    np.testing.assert_allclose([[float(row["p_no"]), float(row["p_yes"])] for row in rows], chances, atol=2e-6)
    assert [row["label"] for row in rows] == [("no", "yes")[i] for i in chances.argmax(1)]
    silent = [row["abstained"] == "True" for row in rows]
    assert silent == (chances.amax(1) < head.told.threshold).tolist() and any(silent) and not all(silent)
    assert (found.rows, found.abstained) == (160, sum(silent)) and sum(found.counts.values()) == 160 - sum(silent)
    right = np.array([row["label"] for row in rows]) == np.array(["no", "yes"])[y]
    assert right[~np.array(silent)].mean() > right.mean()  # it keeps silent where it errs
    tacit.predict(head, run.config.data["source"], out=tmp_path / "p.parquet")
    stored = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert stored[5]["label"] == rows[5]["label"] and stored[5]["abstained"] == silent[5]
    tacit.predict(head, run.config.data["source"], out=tmp_path / "p.tsv")
    assert (tmp_path / "p.tsv").read_text().startswith("id\tlabel\tconfidence\tabstained\n")


@pytest.mark.parametrize("name", ["finetune", "core_tuning"])
def test_tuned_heads_hold_their_encoder_and_leave_the_run_alone(easy, tmp_path, name):
    run, _, labels, y = easy
    before = run.fingerprint()
    found = tacit.fit(run, labels, out=tmp_path / "head", head=name, steps=20, folds=2)
    assert run.fingerprint() == before and Run(run.path, "cpu").fingerprint() == before
    assert list(found.numbers) == [name, "raw input"] and found.number("cross_validated").value > 0.6
    told = tacit.predict(found.path, run.config.data["source"], out=tmp_path / "p.csv", device="cpu")
    rows = table(tmp_path / "p.csv")
    assert told.rows == 160 and (np.array([r["label"] for r in rows]) == np.array(["no", "yes"])[y]).mean() > 0.7


def test_the_same_labels_give_the_same_head(easy, head, tmp_path):
    run, _, labels, _ = easy
    again = tacit.fit(run.path, labels, out=tmp_path / "again", abstain=0.3, device="cpu")
    assert again.told.numbers == head.told.numbers and again.told.threshold == head.told.threshold
    assert (tmp_path / "again" / "head.safetensors").read_bytes() == (head.path / "head.safetensors").read_bytes()


def test_raw_input_that_does_better_is_told(tmp_path):
    samples = clusters(120, dim=8)
    run = tacit.pretrain(samples, Origin, out=tmp_path / "run", **QUICK)
    labels = {samples.ids[i]: str(samples.labels[i]) for i in range(120)}
    found = tacit.fit(run, labels, out=tmp_path / "head", data=samples, head="prototypes")
    assert found.numbers["raw input"][0].value >= found.number("cross_validated").value
    assert re.search("The samples as they are do (no worse|better, by .* points): see tacit doctor", str(found))


def test_what_cannot_be_asked_for(easy, tmp_path, monkeypatch):
    run, _, labels, _ = easy
    (tmp_path / "there").mkdir()
    for options, said in (
        ({"out": tmp_path / "there"}, "is there already"),
        ({"head": "prob"}, "There is no head 'prob'; did you mean 'probe'"),
        ({"folds": 1}, "1 folds"),
        ({"abstain": 0.0}, "an error of 0.0 wanted"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 5}, "--steps is of the heads that train the encoder; give --head finetune or core_tuning"),
        ({"steps": 5, "head": "probe"}, "--steps is of the heads"),
        ({"abstain": 0.001}, "At no confidence are so few as 0.1 % of the answers wrong"),
        ({"data": tmp_path / "nothing"}, "There is no"),
    ):
        with pytest.raises(TacitError, match=said):
            tacit.fit(run, labels, **{"out": tmp_path / "head", **options})
    monkeypatch.setattr(fitting, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        tacit.fit(run, labels, out=tmp_path / "head", head="prototypes")
    assert [file.name for file in tmp_path.iterdir()] == ["there"]


def test_embeddings_that_are_not_finite_are_named(easy, tmp_path, monkeypatch):
    run, _, labels, _ = easy
    monkeypatch.setattr(Run, "represent", lambda self, content, index: [torch.full((len(index), 4), math.nan)])
    with pytest.raises(TacitError, match=f"80 labelled samples are not finite, the first of '{min(labels)}'"):
        tacit.fit(run, labels, out=tmp_path / "head")


def test_a_head_that_does_not_fit_its_run_is_refused(easy, head, tmp_path):
    run, _, _, _ = easy
    source, out = run.config.data["source"], tmp_path / "p.csv"
    other = tacit.pretrain(source, "simclr", out=tmp_path / "other", width=16, seed=1, **QUICK)
    with pytest.raises(TacitError, match=r"made on another encoder \(.*\) than that of .*other"):
        tacit.predict(head.path, source, out=out, run=other.path, device="cpu")
    shutil.copytree(head.path, tmp_path / "head")
    words = tmp_path / "head" / "head.yaml"
    saved = yaml.safe_load(words.read_text())
    words.write_text(yaml.safe_dump(saved | {"run": str(tmp_path / "moved")}))
    with pytest.raises(TacitError, match=r"moved of this head is not there; say with --run where it lies now"):
        tacit.predict(tmp_path / "head", source, out=out)
    assert tacit.predict(tmp_path / "head", source, out=out, run=run.path, device="cpu").rows == 160
    out.unlink()
    for broken, said in (
        (saved | {"head": "prob"}, "does not describe a head"),
        (saved | {"temperature": "warm"}, "does not describe a head"),
        (saved | {"more": 1}, "does not describe a head"),
        (saved | {"numbers": {"probe": [{"name": "majority"}]}}, r"The numbers in .*head.yaml are not whole \('value'\)"),
        (saved | {"classes": ["no"]}, "do not fit"),
        ([1], "does not describe a head"),
    ):
        words.write_text(yaml.safe_dump(broken))
        with pytest.raises(TacitError, match=said):
            tacit.predict(tmp_path / "head", source, out=out, device="cpu")
    words.write_text(yaml.safe_dump(saved))
    (tmp_path / "head" / "head.safetensors").write_bytes(b"nothing")
    with pytest.raises(TacitError, match="no whole file"):
        tacit.predict(tmp_path / "head", source, out=out, device="cpu")
    with pytest.raises(TacitError, match="holds no head"):
        tacit.predict(run.path, source, out=out)
    assert not out.exists()


def test_predictions_are_written_whole_or_not_at_all(trained, cloth, tmp_path):
    shutil.copytree(cloth, tmp_path / "cloth")
    samples = trained.open(tmp_path / "cloth")
    head = tacit.fit(
        trained, {id: id.split("/")[0] for id in samples.ids}, out=tmp_path / "head", data=tmp_path / "cloth", head="prototypes"
    )
    out = tmp_path / "p.csv"
    assert tacit.predict(head, tmp_path / "cloth", out=out).rows == 96
    before = out.read_text()
    for id in samples.ids[:3]:
        (tmp_path / "cloth" / id).write_bytes(b"no image")
    with pytest.raises(TacitError, match=r"More than 1% of .* cannot be read, 3 so far"):
        tacit.predict(head, tmp_path / "cloth", out=out, batch=8)
    assert out.read_text() == before and sorted(f.name for f in tmp_path.iterdir()) == ["cloth", "head", "p.csv"]
    with pytest.raises(TacitError, match="More than 1%"):  # other predictions, and an empty file, may be replaced
        tacit.predict(head, tmp_path / "cloth", out=out, batch=8, probabilities=True)
    (tmp_path / "mine.csv").write_text("id,label\na,b\n")
    with pytest.raises(TacitError, match=r"mine\.csv is there and holds no predictions; give another name"):
        tacit.predict(head, tmp_path / "cloth", out=tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "id,label\na,b\n"
    for wrong in (tmp_path / "p.txt", tmp_path / "head"):
        with pytest.raises(TacitError, match=r"is no \.csv, \.tsv or \.parquet"):
            tacit.predict(head, tmp_path / "cloth", out=wrong)
    with pytest.raises(TacitError, match="cannot be read"):
        tacit.fit(trained, {id: id[:2] for id in samples.ids[:20]}, out=tmp_path / "no", data=tmp_path / "cloth")


def test_what_a_run_was_trained_on_must_be_there(tmp_path):
    samples = clusters(80, dim=8)
    run = tacit.pretrain(samples, "simclr", out=tmp_path / "run", width=16, **QUICK)
    with pytest.raises(
        TacitError, match=r"What .*run was trained on \(.*\) is not there; give the source of the labels as --data"
    ):
        tacit.fit(run, {samples.ids[i]: str(i % 2) for i in range(20)}, out=tmp_path / "head")


def test_a_name_that_is_no_text_is_refused(easy, head, tmp_path):
    run, samples, _, _ = easy
    strange = replace(samples, ids=["bad\udcff.npy", *samples.ids[1:]])
    with pytest.raises(TacitError, match=r"is not UTF-8 and cannot be written"):
        tacit.predict(head, strange, out=tmp_path / "p.csv", run=run)
    assert not list(tmp_path.iterdir())
