"""Nothing is lost: a training that is really killed, or asked to stop, goes on to the numbers of an undisturbed one."""

import io
import json
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import torch

from tacit import pretrain
from tacit.data.generated import tiny_images, write
from tacit.training.checkpoint import read
from tacit.training.loop import Training

PATIENCE = 60.0  # seconds that anything here may take
OPTIONS = {
    "encoder": "small_resnet",
    "width": 8,
    "batch": 32,
    "epochs": 3,
    "warmup": 0,
    "ema": 0.9,
    "device": "cpu",
    "precision": "fp32",
    "quiet": True,
}
SCRIPT = """
import sys, time
import torch
torch.set_num_threads(1)
from tacit import pretrain
from tacit.training.loop import Training
from tests.training.test_kill import OPTIONS, save_always
pause = save_always()
def and_wait(training, stop):
    pause(training, stop)
    if training.at.step == 40 and not stop:
        for _ in range(600):  # the end must not be reached before the signal is
            time.sleep(0.1)
            if training.stopping.asked:
                break
Training.pause = and_wait
pretrain(sys.argv[1], out=sys.argv[2], **OPTIONS)
"""

HANGING = """
import sys, time
import torch
torch.set_num_threads(1)
from tacit.cli import main
from tacit.data import checking, decoding
from tacit.data.shards import Members
from tacit.training.loop import Training
from tests.training.test_kill import save_always
checking.MOST, decoding.PATIENCE = 0, 1.0  # nothing is kept decoded
pause, content = save_always(), Members.content
hung = False
def and_hang(training, stop):
    global hung
    pause(training, stop)
    hung = training.at.step == 20
def answer(members, row):
    time.sleep(600 * hung)
    return content(members, row)
Training.pause, Members.content = and_hang, answer
main(sys.argv[1:])
"""


def save_always():
    """Save at every safe point, not once a minute: every tenth step."""
    original = Training.pause

    def pause(training, stop):
        training.keeper.saved = float("-inf")
        original(training, stop)

    return pause


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write(tiny_images(640), folder)  # 512 of them to train on: 16 batches an epoch, 48 in all
    return folder


@pytest.fixture(scope="module")
def undisturbed(images, tmp_path_factory):
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    pretrain(images, out=out, **OPTIONS)
    return out


def disturbed(images, out, number, after):
    """Start a training in a process of its own and send it a signal once so many steps are saved."""
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(images), str(out)], stderr=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + PATIENCE
            while saved_step(out) < after:
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < until, "nothing was saved in time"
                time.sleep(0.005)
            process.send_signal(number)
            _, complaint = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return process.returncode, complaint


def saved_step(out: Path) -> int:
    file = out / "stage-0.safetensors"
    return read(file)[1]["at"]["step"] if file.exists() else -1


def weights(out):
    return read(out / "encoder.safetensors")[0]


def log(out):
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "samples_per_second"} for line in lines]


def assert_gone_on(images, out, undisturbed):
    assert not (out / "encoder.safetensors").exists()
    assert 0 < saved_step(out) < 48
    pretrain(resume=True, out=out, quiet=True)
    expected, found = weights(undisturbed), weights(out)
    assert expected.keys() == found.keys()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert log(out) == log(undisturbed)
    assert not list(out.rglob(".*.part"))


def test_a_kill_loses_nothing(images, undisturbed, tmp_path):
    out = tmp_path / "run"
    code, _ = disturbed(images, out, signal.SIGKILL, 20)  # in the second epoch
    assert code == -signal.SIGKILL
    assert saved_step(out) >= 20
    assert_gone_on(images, out, undisturbed)


def test_termination_saves_and_says_so(images, undisturbed, tmp_path):
    out = tmp_path / "run"
    code, complaint = disturbed(images, out, signal.SIGTERM, 10)
    assert code != 0 and "Interrupted: stopped at step" in complaint
    assert_gone_on(images, out, undisturbed)


def test_a_shard_that_hangs_is_named_and_nothing_is_lost(images, tmp_path):
    """The process ends although one of its threads still waits for the drive."""
    with tarfile.open(tmp_path / "far.tar", "w") as shard:
        for file in sorted(images.rglob("*.png"))[:200]:
            entry = tarfile.TarInfo(file.name)
            entry.size = file.stat().st_size
            shard.addfile(entry, io.BytesIO(file.read_bytes()))
    out, options = tmp_path / "run", OPTIONS | {"epochs": 6}
    words = [word for name, value in options.items() if name != "quiet" for word in (f"--{name}", str(value))]
    command = [sys.executable, "-c", HANGING, "pretrain", str(tmp_path / "far.tar"), "--out", str(out), "--quiet", *words]
    hung = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert hung.returncode == 1 and "Traceback" not in hung.stderr, hung.stderr
    assert re.search(r"far/\w+ is there but has not been read after .* minutes;.* by --resume", hung.stderr), hung.stderr
    assert saved_step(out) == 20
    gone_on = pretrain(resume=True, out=out, quiet=True)
    whole = pretrain(tmp_path / "far.tar", out=tmp_path / "whole", **options)
    assert all(torch.equal(value, gone_on.encoder.state_dict()[name]) for name, value in whole.encoder.state_dict().items())
