"""Where a training runs, and how it ends when one of its processes does: in one sentence, with what was saved whole."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import torch.distributed as dist

from tacit import pretrain
from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.numerics import processes
from tacit.training.checkpoint import read
from tacit.training.launching import Places, agree, first, places, together

ENVIRONMENT = (
    "RANK",
    "LOCAL_RANK",
    "NODE_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "SLURM_NTASKS",
    "SLURM_NNODES",
    "SLURM_PROCID",
)


@pytest.fixture
def nowhere(monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_places_are_one_or_as_asked(nowhere):
    assert places(None, None) == Places(1, 1) and first()
    assert places(None, None, Places(2, 3)) == Places(2, 3)
    assert places(4, 2) == Places(4, 2)
    with pytest.raises(TacitError, match="--nodes is 0; give 1 or more"):
        places(None, 0)
    nowhere.setenv("NODE_RANK", "1")
    assert not first()


def test_places_are_what_torchrun_started(nowhere):
    for name, value in {"LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8", "RANK": "4", "LOCAL_RANK": "0"}.items():
        nowhere.setenv(name, value)
    assert places(None, None) == places(4, 2) == Places(4, 2) and not first()
    with pytest.raises(TacitError, match="--devices is 2 and torchrun started 4; leave it out"):
        places(2, None)
    nowhere.setenv("WORLD_SIZE", "7")
    with pytest.raises(TacitError, match="torchrun started 7 processes, 4 of them here; start as many on every machine"):
        places(None, None)


def test_places_are_what_slurm_started(nowhere):
    for name, value in {"SLURM_NTASKS": "6", "SLURM_NNODES": "2", "SLURM_PROCID": "3", "SLURM_JOB_NAME": "far"}.items():
        nowhere.setenv(name, value)
    assert places(None, None) == Places(3, 2) and not first()


def test_what_ends_a_process_is_one_sentence(monkeypatch):
    with pytest.raises(TacitError, match="Process 0 of 1 ran out of memory; give a smaller --batch, or --chunk"), together():
        raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(RuntimeError, match="a fault"), together():
        raise RuntimeError("a fault")
    monkeypatch.setattr(processes, "size", lambda: 2)
    monkeypatch.setattr(processes, "rank", lambda: 0)
    with pytest.raises(TacitError, match=r"Process 0 of 2 lost the others.*start again with --resume"), together():
        raise dist.DistBackendError("NCCL")


def differing():
    agree("samples", "the same", torch.device("cpu"))
    try:
        agree("samples", f"of {processes.rank()}", torch.device("cpu"))
    except TacitError as error:
        return str(error)


def test_processes_must_agree(pair):
    assert {answer.partition(";")[0] for answer in pair.run(differing)} == {"Process 1 has other samples than process 0"}


OPTIONS = {"method": "simclr", "optimizer": "sgd", "lr": 0.02, "scale": "none", "batch": 64, "epochs": 3, "warmup": 0}
OPTIONS |= {"width": 16, "device": "cpu", "precision": "fp32"}
PATIENCE = 300.0  # seconds that anything here may take on a busy machine
WAITING = """
import os, sys, time
import torch
torch.set_num_threads(1)
from tacit.cli import main
from tacit.training.loop import Training
from tests.training.test_kill import save_always
pause = save_always()
def and_wait(training, stop):
    pause(training, stop)
    if training.at.step == 10 and os.environ["RANK"] == "1":
        time.sleep(600)  # until it is killed
Training.pause = and_wait
main(sys.argv[1:])
"""


def torchrun(script, *arguments):
    """Two processes as torchrun starts them, without its agent, which would end the second for the first's sake."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}
    return [
        subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank), "TORCHELASTIC_RUN_ID": "far"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]


def saved_step(out):
    file = out / "stage-0.safetensors"
    return read(file)[1]["at"]["step"] if file.exists() else -1


OWN_DATA = """
import os, sys
import torch
torch.set_num_threads(1)
from tacit.cli import main
main([word.replace("RANK", os.environ["RANK"]) for word in sys.argv[1:]])
"""


def test_samples_of_another_shape_on_another_machine(tmp_path):
    words = [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]
    for rank, dim in enumerate((16, 12)):
        np.save(tmp_path / f"x{rank}.npy", clusters(640, dim=dim).read(np.arange(640))[0].values.numpy())
    members = torchrun(OWN_DATA, "pretrain", tmp_path / "xRANK.npy", "--out", tmp_path / "two", "--quiet", *words)
    try:
        said = [member.communicate(timeout=PATIENCE)[1] for member in members]
    finally:
        for member in members:
            member.kill()
    assert all("tacit: Process 1 has other shapes of samples than process 0; give all machines the same" in one for one in said)
    assert not (tmp_path / "two").exists()


def test_a_killed_process_ends_the_run_and_another_number_goes_on(tmp_path):
    """Of two, one is killed: the other says so and ends; then one process alone finishes, with the numbers of one."""
    words = [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]
    np.save(tmp_path / "x.npy", clusters(640, dim=16).read(np.arange(640))[0].values.numpy())
    survivor, killed = members = torchrun(WAITING, "pretrain", tmp_path / "x.npy", "--out", tmp_path / "two", "--quiet", *words)
    try:
        until = time.monotonic() + PATIENCE
        while saved_step(tmp_path / "two") < 10:
            assert survivor.poll() is None and killed.poll() is None, [m.communicate() for m in members]
            assert time.monotonic() < until, "nothing was saved in time"
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        begun = time.monotonic()
        _, said = survivor.communicate(timeout=PATIENCE)
    finally:
        for member in members:
            member.kill()
    assert survivor.returncode == 1 and time.monotonic() - begun < PATIENCE
    assert "Process 0 of 2 lost the others" in said and "Traceback" not in said, said
    assert saved_step(tmp_path / "two") == 10
    whole = pretrain(tmp_path / "x.npy", out=tmp_path / "one", quiet=True, **OPTIONS)
    gone_on = pretrain(out=tmp_path / "two", resume=True, devices=1, quiet=True)
    assert gone_on.config.devices == 1
    for name, value in whole.encoder.state_dict().items():
        torch.testing.assert_close(gone_on.encoder.state_dict()[name], value, rtol=1e-4, atol=1e-5)
