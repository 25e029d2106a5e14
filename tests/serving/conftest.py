"""What the tests of the server share: runs of several kinds, an application to ask, and a process that really listens."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from io import BytesIO
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import tacit
from tacit.data.generated import clusters, tiny_images
from tacit.serving.app import build
from tacit.serving.limits import Limits
from tacit.serving.model import Model
from tacit.serving.process import server_of
from tacit.serving.serve import listen
from tacit.serving.shelf import Shelf
from tests.embeddings.test_places import s3  # noqa: F401 (a fixture: the address of a bucket)

QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}
KEY = "a-key-of-more-than-sixteen-letters"


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """A run on texts, small enough for every test."""
    from tacit.data.text.generated import topics

    out = tmp_path_factory.mktemp("served") / "topics"
    return tacit.pretrain(topics(160), "simcse", out=out, **QUICK)


@pytest.fixture(scope="session")
def points(tmp_path_factory):
    """A run on vectors of 16 numbers."""
    out = tmp_path_factory.mktemp("served") / "points"
    return tacit.pretrain(clusters(120, dim=16), "simclr", out=out, width=16, **QUICK)


@pytest.fixture(scope="session")
def pictures():
    """Images as files: PNG, whose pixels are those of the array."""
    return [png(pixels) for pixels in tiny_images(12, size=16).pixels]


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@contextmanager
def asked(run, table=None, key="", hosts=(), told=lambda sentence: None, **limits):
    """A client of an application in this process."""
    bounds = Limits(**limits)
    model = Model(run, bounds)
    shelf = None if table is None else Shelf(table, model.fingerprint, told)
    app = build(model, shelf, bounds, key, hosts)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


@contextmanager
def listening(run, table=None, **limits):
    """A server that really listens, in a thread of this process: itself and its port."""
    bounds = Limits(**limits)
    model = Model(run, bounds)
    shelf = None if table is None else Shelf(table, model.fingerprint, lambda sentence: None)
    waiting = listen("127.0.0.1", 0)
    port = waiting.getsockname()[1]
    server = server_of(build(model, shelf, bounds), lambda sentence: None)
    thread = Thread(target=server.run, args=([waiting],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server, port
    finally:
        server.should_exit = True
        thread.join()


def vectors_of(response) -> np.ndarray:
    """The vectors of an answer, in its order."""
    assert response.status_code == 200, response.text
    data = response.json()["data"]
    assert [item["index"] for item in data] == list(range(len(data)))
    return np.array([item["embedding"] for item in data], np.float32)


def sentence_of(response, status: int) -> str:
    """The one sentence of a refusal, which is in OpenAI's form."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and "Traceback" not in error["message"]
    assert error["message"].count("\n") == 0 and error["message"].endswith((".", "?"))
    return error["message"]


class Process:
    """A server in a process of its own; `told` gathers what it says."""

    def __init__(self, *arguments: str):
        command = [sys.executable, "-m", "tacit", "serve", *arguments, "--port", "0", "--device", "cpu"]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        self.told: list[str] = []
        self.url = ""
        for line in self.process.stderr:
            self.told.append(line)
            if found := re.search(r"http://\S+", line):
                self.url = found[0]
                break
        assert self.url, self.told
        self.reader = Thread(target=lambda: self.told.extend(self.process.stderr), daemon=True)
        self.reader.start()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(how)
        status = self.process.wait(120)
        self.reader.join()
        return status


@contextmanager
def process(*arguments: str):
    server = Process(*arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
