"""What a training writes down: means over steps, lines that survive a resume, numbers that JSON can hold."""

import json
import math
import resource
from contextlib import contextmanager

import pytest
import torch

from tacit.errors import TacitError
from tacit.training.journal import Journal


class Board:
    """Stands for TensorBoard, which takes a second to import."""

    def __init__(self):
        self.seen = []

    def add_scalar(self, name, value, step):
        self.seen.append((name, value, step))

    def close(self):
        pass


@pytest.fixture
def journal(tmp_path):
    found = Journal(tmp_path, quiet=True, device=torch.device("cpu"))
    found.board = Board()
    yield found
    found.end()


def lines(journal):
    return [json.loads(line) for line in journal.path.read_text().splitlines()]


def test_means_are_over_the_steps_since_the_last_line(journal):
    for value in (1.0, 2.0, 6.0):
        journal.add({"loss": torch.tensor(value), "agree": torch.tensor(2 * value)}, 8)
    assert journal.means(False) == ({"agree": 6.0, "loss": 3.0}, False)
    journal.add({"loss": torch.tensor(5.0)}, 8)
    assert journal.means(True) == ({"loss": 5.0}, True)


def test_what_was_added_is_not_changed(journal):
    first = torch.tensor(1.0)
    journal.add({"loss": first}, 1)
    journal.add({"loss": torch.tensor(2.0)}, 1)
    assert first == 1.0


def test_lines_are_json_and_what_is_no_number_is_null(journal):
    journal.begin("SimCLR", 100, 0, 0)
    journal.add({"loss": torch.tensor(1.0)}, 8)
    numbers = {"stage": 0, "step": 10, "loss": 0.5, "effective_rank": math.inf, "spread": 0.1, "alignment": math.nan}
    journal.write({**numbers, "warning": "it collapses"}, 10)
    (line,) = lines(journal)
    assert line.pop("samples_per_second") > 0
    assert line == {**numbers, "effective_rank": None, "alignment": None, "warning": "it collapses"}
    assert ("stage0/loss", 0.5, 10) in journal.board.seen
    assert all(math.isfinite(value) for _, value, _ in journal.board.seen)


def test_what_was_observed_is_a_line_of_its_own_and_stays_on_the_bar(journal):
    journal.begin("SimCLR", 100, 0, 0)
    journal.tell({"stage": 0, "epoch": 0, "step": 5, "knn": 0.51})
    journal.write({"stage": 0, "epoch": 1, "step": 10, "loss": 0.5}, 10)
    assert lines(journal)[0] == {"stage": 0, "epoch": 0, "step": 5, "knn": 0.51}
    assert ("stage0/knn", 0.51, 5) in journal.board.seen
    assert journal.bar.tasks[0].fields["signs"].endswith("knn 0.510") and journal.bar.tasks[0].completed == 10


def test_beginning_cuts_the_log_to_what_was_saved(journal):
    journal.begin("SimCLR", 100, 0, 0)
    journal.write({"stage": 0, "step": 10, "loss": 1.0}, 10)
    saved = journal.length()
    journal.write({"stage": 0, "step": 20, "loss": 0.9}, 20)
    journal.end()
    journal.begin("SimCLR", 100, 10, saved)
    assert [line["step"] for line in lines(journal)] == [10]
    journal.write({"stage": 0, "step": 20, "loss": 0.9}, 20)
    assert [line["step"] for line in lines(journal)] == [10, 20]


def test_sums_go_on_after_a_resume(journal, tmp_path):
    journal.add({"loss": torch.tensor(1.0)}, 8)
    journal.add({"loss": torch.tensor(2.0)}, 8)
    resumed = Journal(tmp_path, quiet=True, device=torch.device("cpu"))
    resumed.load(journal.state())
    for one in (journal, resumed):
        one.add({"loss": torch.tensor(6.0)}, 8)
    assert resumed.means(False) == journal.means(False) == ({"loss": 3.0}, False)


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = Journal(None, quiet=True, device=torch.device("cpu"))
    journal.begin("SimCLR", 10, 0, 0)
    journal.write({"stage": 0, "step": 10, "loss": 1.0}, 10)
    journal.end()
    assert journal.length() == 0 and list(tmp_path.iterdir()) == []


@contextmanager
def at_most(size):
    """Files of this process grow no further meanwhile, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of TensorBoard's own thread
def test_a_disk_that_is_full_is_named_and_hides_no_error(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(Journal, "say", lambda self, sentence: said.append(sentence))
    journal = Journal(tmp_path, quiet=True, device=torch.device("cpu"))
    with at_most(16), pytest.raises(TacitError, match=r"tensorboard could not be written .*--resume"):
        journal.begin("SimCLR", 10, 0, 0)
    assert journal.board is None
    journal.begin("SimCLR", 10, 0, 0)
    curves = max((tmp_path / "tensorboard").iterdir(), key=lambda file: file.stat().st_size)  # beside one that is empty
    line = {"stage": 0, "step": 10, "loss": 1.0}
    with at_most(curves.stat().st_size + 8):
        journal.tell(line)  # which is shorter than TensorBoard's file is by now
        journal.end()
    assert json.loads(journal.path.read_text()) == line
    assert said == [f"TensorBoard's curves could not be finished (File too large); {journal.path} has them."]


def test_a_log_that_cannot_grow_is_named(journal):
    journal.begin("SimCLR", 10, 0, 0)
    with at_most(16), pytest.raises(TacitError, match=r"metrics\.jsonl could not be written .*--resume"):
        journal.tell({"stage": 0, "step": 10, "loss": 1.0})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of TensorBoard's own thread
def test_curves_that_could_not_grow_are_named_with_the_next_line(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(Journal, "say", lambda self, sentence: said.append(sentence))
    journal = Journal(tmp_path, quiet=True, device=torch.device("cpu"))
    journal.begin("SimCLR", 10, 0, 0)
    with at_most(16):
        journal.board.add_scalar("curve", 1.0, 0)
        with pytest.raises(OSError):
            journal.board.flush()  # waits until its thread has failed
    with pytest.raises(TacitError, match=r"tensorboard could not be written .*--resume"):
        journal.tell({"stage": 0, "step": 10, "loss": 1.0})
    journal.end()  # where it fails again
    assert len(said) == 1 and "could not be finished" in said[0]


def share():
    from tacit.numerics.processes import rank

    journal = Journal(None, quiet=True, device=torch.device("cpu"))
    journal.add({"loss": torch.tensor(1.0 + 2 * rank())}, 4)
    return journal.means(stop=rank() == 1)


def test_means_are_over_processes_and_one_wish_to_stop_is_enough(pair):
    assert pair.run(share) == [({"loss": 2.0}, True)] * 2


def test_a_log_that_was_cut_or_lost_is_gone_on_with(journal):
    journal.path.write_text('{"stage": 0, "step": 0}\n{"stage": 1, "st')
    journal.begin("SimCLR", 10, 0, 4000)  # the checkpoint remembers more than there is
    assert journal.lines(0) == [{"stage": 0, "step": 0}] and journal.lines(1) == []
