"""The doctor says what the folder of a run shows, and nothing of a healthy one."""

import json
import shutil

import pytest

import tacit
from tacit.errors import TacitError


@pytest.fixture
def run(trained, tmp_path):
    """A copy of a trained run, with a log of one's own."""
    folder = tmp_path / "run"
    shutil.copytree(trained.path, folder)

    def tell(lines):
        (folder / "metrics.jsonl").write_text("".join(json.dumps({"stage": 0, **line}) + "\n" for line in lines))
        return folder

    return tell


def line(step, **numbers):
    return {"epoch": 0, "step": step, "loss": 1.0, **numbers}


def names(findings):
    return [finding.name for finding in findings]


def test_nothing_is_found_in_a_healthy_run(run):
    folder = run([line(step, overlap=0.4 - 0.01 * step) for step in range(10)])
    found = tacit.doctor(folder)
    assert found.faults == [] == found.hints and found.finished and found.lines == 10
    assert "Nothing is known to be wrong" in str(found) and "SimCLR" not in str(found).splitlines()[1]


def test_a_real_run_is_read(trained):
    assert tacit.doctor(trained.path).lines == len((trained.path / "metrics.jsonl").read_text().splitlines())


def test_alarms_are_told_with_their_step(run):
    found = tacit.doctor(run([line(0), line(2, alarm="temperature", warning="The temperature is too low.")]))
    assert names(found.faults) == ["temperature"] and found.faults[0].step == 2
    assert found.faults[0].share == pytest.approx(2 / 3)  # 96 samples in batches of 32
    assert json.dumps(found.as_dict(), allow_nan=False)
    assert "1. At step 2 (67 % of the training): The temperature is too low." in str(found)


def test_an_alarm_that_was_taken_back_is_a_hint(run):
    alarm, back = {"alarm": "views", "warning": "The views are too hard."}, {"passed": "views", "notice": "They are not."}
    found = tacit.doctor(run([line(0), line(2, **alarm), line(4, **back), line(6, alarm="temperature", warning="Low.")]))
    assert names(found.faults) == ["temperature"] and names(found.hints) == ["views"]
    assert "Hint: The alarm of views was taken back at step 4: They are not." in str(found)
    assert names(tacit.doctor(run([line(0), line(2, **alarm)])).faults) == ["views"]


def test_a_divergence_is_explained_and_not_called_unfinished(run):
    folder = run([line(0), {**line(2), "loss": None, "alarm": "divergence"}])
    (folder / "encoder.safetensors").unlink()
    found = tacit.doctor(folder)
    assert names(found.faults) == ["divergence"] and "--lr" in found.faults[0].said and not found.finished


def test_a_stopped_run_is_told_how_to_go_on(run):
    folder = run([line(0)])
    (folder / "encoder.safetensors").unlink()
    found = tacit.doctor(folder)
    assert names(found.faults) == ["unfinished"] and f"--resume --out {folder}" in found.faults[0].said


def test_views_told_apart_no_better_than_before(run):
    assert names(tacit.doctor(run([line(step, overlap=0.3) for step in range(4)])).faults) == ["unlearned"]


@pytest.mark.parametrize(
    ("knn", "hint"),
    [
        ([0.2, 0.3, 0.4, 0.4, 0.3], ["past its best"]),
        ([0.2, 0.3, 0.4, 0.41, 0.45], ["still learning"]),
        ([0.2, 0.3, 0.4, 0.41, 0.415], []),
    ],
)
def test_online_accuracy_says_when_to_stop(run, knn, hint):
    assert names(tacit.doctor(run([line(step, knn=value) for step, value in enumerate(knn)])).hints) == hint


def test_a_run_that_slowed_down(run):
    lines = [line(step, samples_per_second=900.0 if step < 4 else 300.0) for step in range(8)]
    assert names(tacit.doctor(run(lines)).hints) == ["slower"]


def test_numbers_below_the_baselines(run):
    def number(low, value, high):
        return [{"name": "knn", "value": value, "low": low, "high": high, "protocol": {}, "why": ""}]

    folder = run([line(0)])
    judged = {"this encoder": number(0.3, 0.35, 0.4), "raw input": number(0.45, 0.5, 0.55)}
    (folder / "evaluation.json").write_text(json.dumps({"representations": judged}))
    found = tacit.doctor(folder)
    assert names(found.faults) == ["below raw input"] and "35.0 %" in found.faults[0].said
    (folder / "evaluation.json").write_text("[]")
    with pytest.raises(TacitError, match="is no evaluation"):
        tacit.doctor(folder)


def test_a_log_or_numbers_that_are_none(run):
    folder = run([line(0)])
    for text in ("{nothing\n", "3\n"):
        (folder / "metrics.jsonl").write_text(text)
        with pytest.raises(TacitError, match="is no log"):
            tacit.doctor(folder)
    run([line(0)])
    wrong = {"name": "knn", "value": 0.1, "low": "a", "high": "b"}
    judged = {"representations": {"this encoder": [wrong], "raw input": [{**wrong, "low": 0.5}]}}
    (folder / "evaluation.json").write_text(json.dumps(judged))
    with pytest.raises(TacitError, match="is no evaluation"):
        tacit.doctor(folder)


def test_what_has_not_ended_is_not_judged_by_its_end(run):
    folder = run([line(step, overlap=0.3, knn=0.2 + 0.05 * step) for step in range(6)])
    (folder / "encoder.safetensors").unlink()
    found = tacit.doctor(folder)
    assert names(found.faults) == ["unfinished"] and found.hints == []


def test_views_that_were_easy_from_the_first(run):
    assert tacit.doctor(run([line(step, overlap=0.004) for step in range(4)])).faults == []


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(TacitError, match="holds no run"):
        tacit.doctor(tmp_path)


def test_samples_that_are_all_embedded_alike(run):
    found = tacit.doctor(run([line(step, overlap=0.5, spread=0.0) for step in (0, 1)]))
    assert names(found.faults) == ["alike"] and "tacit inspect counts duplicates" in str(found)
    assert tacit.doctor(run([line(step, overlap=0.5, spread=0.2) for step in (0, 1)])).faults == []
