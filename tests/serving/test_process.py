"""The server as a process that listens: real clients, real sockets, real signals."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Thread

import httpx
import numpy as np
import openai
import pytest

import tacit
from tacit.data.generated import clusters
from tacit.data.text.generated import topics
from tacit.serving import process as serving_process
from tests.serving.conftest import KEY, listening, process, sentence_of, vectors_of


@pytest.fixture(scope="module")
def place(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    (folder / "key").write_text(KEY + "\n")
    tacit.embed(texts, topics(100), out=folder / "topics.lance")
    return folder


@pytest.fixture(scope="module")
def server(texts, place):
    arguments = (
        str(texts.path),
        "--table",
        str(place / "topics.lance"),
        "--key-file",
        str(place / "key"),
        "--waiting",
        "20000",
    )
    with process(*arguments) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {KEY}"}, timeout=120) as made:
        yield made


def value(client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def test_openai_s_own_client(server, texts):
    said = topics(6).said(np.arange(6))
    local = texts.embed(topics(6)).numpy()
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0) as asking:
        assert [model.id for model in asking.models.list()] == ["topics"]
        for form in ({}, {"encoding_format": "float"}):
            answer = asking.embeddings.create(model="topics", input=said, **form)
            assert np.abs(np.array([item.embedding for item in answer.data]) - local).max() < 1e-5
            assert answer.model == "topics" and answer.usage.total_tokens > 6
        coded = asking.embeddings.create(model="topics", input=said[0], encoding_format="base64").data[0].embedding
        assert np.abs(np.frombuffer(base64.b64decode(coded), "<f4") - local[0]).max() < 1e-5
        with pytest.raises(openai.BadRequestError, match="token numbers") as refusal:
            asking.embeddings.create(model="topics", input=[[1, 2, 3]])
        assert refusal.value.type == "invalid_request_error"
        with pytest.raises(openai.BadRequestError, match="only runs of the method matryoshka can be cut"):
            asking.embeddings.create(model="topics", input="a", dimensions=8)
        with pytest.raises(openai.NotFoundError, match="only 'topics'"):
            asking.embeddings.create(model="text-embedding-3-small", input="a")
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="key is missing or wrong"),
    ):
        stranger.embeddings.create(model="topics", input="a")


def test_200_megabytes_are_refused_and_not_kept(server, client):
    before = value(client, "process_resident_memory_bytes")
    told = client.post("/v1/embeddings", content=bytes(200 << 20), headers={"content-type": "application/json"})
    assert "larger than 64 MiB" in sentence_of(told, 413)

    def parts():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(200):
            yield bytes(1 << 20)

    streamed = client.post(
        "/v1/embeddings/upload", content=parts(), headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert "larger than 64 MiB" in sentence_of(streamed, 413)
    assert value(client, "process_resident_memory_bytes") - before < 150 << 20
    assert client.get("/health").json()["status"] == "ready"


def test_a_client_that_hangs_up_holds_nothing(server, client):
    body = json.dumps({"input": ["some words " * 40] * 2000}).encode()
    head = f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    before = value(client, "tacit_given_up_total")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            while not value(client, "tacit_waiting_samples"):
                time.sleep(0.01)
    end = time.monotonic() + 60
    while value(client, "tacit_waiting_samples") and time.monotonic() < end:
        time.sleep(0.05)
    assert value(client, "tacit_waiting_samples") == 0
    assert value(client, "tacit_given_up_total") > before


def test_the_key_is_neither_told_nor_shown(server, client):
    client.post("/v1/embeddings", json={"input": "a"})
    assert KEY not in "".join(server.told)
    assert KEY not in Path(f"/proc/{server.process.pid}/cmdline").read_text()


def test_a_table_that_is_rewritten_while_it_is_searched(texts, place, server, client):
    table = place / "topics.lance"
    rows = client.get("/health").json()["table"]["rows"]
    stop = False
    found: list[httpx.Response] = []

    def search(seed: int) -> None:
        with httpx.Client(base_url=server.url, headers=client.headers, timeout=120) as own:
            while not stop:
                found.append(own.post("/search", json={"id": "00003", "top": 3} if seed else {"text": "some words", "top": 3}))

    searching = [Thread(target=search, args=(seed,)) for seed in range(2)]
    for thread in searching:
        thread.start()
    try:
        more, end = 0, time.monotonic() + 90
        while (len(found) < 20 or more < 3) and time.monotonic() < end:
            more += 1
            tacit.embed(texts, topics(rows + more), out=table, overwrite=True)
        while client.get("/health").json()["table"]["rows"] != rows + more and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        stop = True
        for thread in searching:
            thread.join()
    health = client.get("/health").json()["table"]
    assert health == {"rows": rows + more, "version": found[-1].json()["version"], "current": True}
    assert len(found) >= 20 and {answer.status_code for answer in found} == {200}, [a.text for a in found if a.is_error][:3]
    last = client.post("/search", json={"text": "some words", "top": 3}).json()["hits"]
    assert [hit["id"] for hit in last] == [hit.id for hit in tacit.search(table, "some words", top=3)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_begun_is_answered_before_the_end(how, texts):
    with process(str(texts.path), "--waiting", "20000") as running, ThreadPoolExecutor(9) as pool:
        with httpx.Client(base_url=running.url, timeout=120) as own:
            body = {"input": ["some words that take a while " * 20] * 1000}
            asking = [pool.submit(httpx.post, f"{running.url}/v1/embeddings", json=body, timeout=120) for _ in range(6)]
            while value(own, "tacit_waiting_samples") < 1000:
                time.sleep(0.01)
            waiting = own.get("/health")
            running.process.send_signal(how)
            while (waiting := own.get("/health")).json()["status"] == "ready":
                time.sleep(0.01)
            refused = own.post("/v1/embeddings", json={"input": "a"})
        answers = [future.result() for future in asking]
        assert running.process.wait(60) == 0
        running.reader.join()
    assert waiting.status_code == 503 and waiting.json()["status"] == "draining"
    assert refused.status_code == 503
    assert all(answer.status_code in (200, 503) for answer in answers)
    whole = [answer for answer in answers if answer.status_code == 200]
    assert whole and all(len(vectors_of(answer)) == 1000 for answer in whole)
    assert f"{how.name}: " in "".join(running.told)


@pytest.fixture
def here(texts, monkeypatch):
    """A server that gives up clients soon."""
    monkeypatch.setattr(serving_process, "HEADS", 0.3)
    with listening(texts, arriving=0.5) as found:
        yield found


def test_slow_clients_are_given_up(here):
    server, port = here
    with socket.create_connection(("127.0.0.1", port)) as silent, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /v1/embeddings HTTP/1.1\r\nHost: ")
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
            half.settimeout(30)
            answer = b"".join(iter(lambda: half.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 408 ") and b"did not arrive in 0.5 s" in answer
        for caller in (silent, slow):
            caller.settimeout(30)
            with suppress(ConnectionResetError):  # as good an end
                assert caller.recv(1) == b""
    end = time.monotonic() + 30
    while server.server_state.connections and time.monotonic() < end:
        time.sleep(0.01)
    assert not server.server_state.connections
    assert server.service.gate.requests == server.service.gate.held == 0


def test_mistakes_are_named_before_anything_is_served(texts, points, place, tmp_path):
    tacit.embed(points, clusters(20, dim=16), out=tmp_path / "p.lance")

    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "tacit", "serve", *arguments, "--device", "cpu", "--port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=120)
        assert done.returncode == 1 and done.stderr.startswith("tacit: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    assert "made by another encoder" in said(str(texts.path), "--table", str(tmp_path / "p.lance"))
    assert "lets other machines in" in said(str(texts.path), "--host", "0.0.0.0")
