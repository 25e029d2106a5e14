"""What is refused before it is read: keys, sizes, slowness, strangers; and what the server tells of itself."""

import asyncio
import hashlib
import logging

import httpx
import pytest

from tacit.errors import TacitError
from tacit.serving.app import build
from tacit.serving.guard import Exchange, Gate
from tacit.serving.limits import Limits, Refused
from tacit.serving.model import Model
from tacit.serving.serve import listen, read_key, refuse_open, serve
from tests.serving.conftest import KEY, asked, sentence_of, vectors_of

BODY = {"input": "a text"}


def test_a_key_opens_and_nothing_else_does(texts):
    with asked(texts, key=KEY) as client:
        for given in ({}, {"authorization": f"Bearer {KEY[:-1]}"}, {"authorization": KEY}, {"authorization": f"Basic {KEY}"}):
            refusal = client.post("/v1/embeddings", json=BODY, headers=given)
            assert "key is missing or wrong" in sentence_of(refusal, 401)
            assert refusal.headers["www-authenticate"] == "Bearer" and KEY not in refusal.text
        assert client.get("/metrics").status_code == client.get("/v1/models").status_code == 401
        assert client.get("/health").status_code == client.get("/docs").status_code == 200
        right = {"authorization": f"Bearer {KEY}"}
        assert vectors_of(client.post("/v1/embeddings", json=BODY, headers=right)).shape[0] == 1
        assert "securitySchemes" in client.get("/openapi.json").json()["components"]


def test_keys_are_compared_in_constant_time_and_never_logged(texts, caplog, monkeypatch):
    compared = []

    def compare(given, known):
        compared.append((len(given), len(known)))
        return given == known

    monkeypatch.setattr("tacit.serving.guard.hmac.compare_digest", compare)
    with caplog.at_level(logging.DEBUG), asked(texts, key=KEY) as client:
        client.post("/v1/embeddings", json=BODY, headers={"authorization": "Bearer wrong"})
        client.post("/v1/embeddings", json=BODY, headers={"authorization": f"Bearer {KEY}"})
    size = hashlib.sha256().digest_size
    assert compared == [(size, size), (size, size)]
    assert KEY not in caplog.text


def test_a_key_file(tmp_path):
    file = tmp_path / "key"
    with pytest.raises(TacitError, match=r"no key file .*make one: python -c"):
        read_key(file)
    for wrong in ("", "short\n", "two words of some length\n", "schlüssel" * 3):
        file.write_text(wrong)
        with pytest.raises(TacitError):
            read_key(file)
    file.write_text(f"{KEY}\n")
    assert read_key(file) == KEY


def test_other_machines_need_a_key(texts):
    for host in ("0.0.0.0", "::", "192.168.1.7", "example.org"):
        with pytest.raises(TacitError, match="lets other machines in; give --key-file"):
            refuse_open(host, "")
        refuse_open(host, KEY)
    for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3"):
        refuse_open(host, "")
    with pytest.raises(TacitError, match="--key-file"):
        serve(texts, host="0.0.0.0")


def test_a_port_that_is_taken():
    with listen("127.0.0.1", 0) as first, pytest.raises(TacitError, match="Nothing can listen at 127"):
        listen("127.0.0.1", first.getsockname()[1])
    with pytest.raises(TacitError, match="--port is 70000"):
        listen("127.0.0.1", 70000)


def test_without_a_key_only_this_machine_s_names_are_answered(texts):
    with asked(texts, hosts=("127.0.0.1", "localhost")) as client:
        assert client.post("/v1/embeddings", json=BODY, headers={"host": "localhost:8000"}).status_code == 200
        rebound = client.post("/v1/embeddings", json=BODY, headers={"host": "evil.example"})
        assert "answers to 127.0.0.1, localhost" in sentence_of(rebound, 400)


def test_a_body_that_is_too_large_is_refused_while_it_comes(texts):
    seen = []

    def parts():
        for _ in range(64):
            seen.append(1)
            yield b" " * 2**20

    with asked(texts, body=2**21, held=2**26) as client:
        told = client.post("/v1/embeddings", content=b" " * (2**21 + 1), headers={"content-type": "application/json"})
        assert "larger than 2 MiB" in sentence_of(told, 413)
        streamed = client.post("/v1/embeddings", content=parts(), headers={"content-type": "application/json"})
        assert "larger than 2 MiB" in sentence_of(streamed, 413)
        assert client.app.state.service.gate.held == client.app.state.service.gate.requests == 0
        assert vectors_of(client.post("/v1/embeddings", json=BODY)).shape[0] == 1


def exchange(chunks, gate=None, **limits):
    """A request whose body comes in these pieces, None for a pause without an end; and what is sent."""
    sent, waiting = [], list(chunks)

    async def receive():
        if not waiting or waiting[0] is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    return Exchange(receive, send, Limits(**limits), gate or Gate()), sent, waiting


def test_no_more_than_the_limit_is_read_before_it_is_refused():
    async def read():
        one, sent, waiting = exchange([b"x" * 60] * 10, body=100)
        await one.receive()
        with pytest.raises(Refused, match="larger than"):
            await one.receive()
        assert len(waiting) == 8 and one.refused.status == 413
        with pytest.raises(Refused):
            await one.receive()  # whoever asks again is told again
        await one.send(
            {"type": "http.response.start", "status": 400, "headers": []}
        )  # the reader's own idea of what went wrong
        assert not sent
        await one.refuse()
        assert sent[0]["status"] == 413 and (b"connection", b"close") in sent[0]["headers"]

    asyncio.run(read())


def test_a_body_that_does_not_come_is_not_waited_for():
    async def read():
        one, sent, _ = exchange([b"x", None], arriving=0.05)
        await one.receive()
        with pytest.raises(Refused, match="did not arrive in"):
            await one.receive()
        assert one.refused.status == 408 and not sent

    asyncio.run(read())


def test_bodies_of_all_requests_have_one_bound():
    async def read():
        gate = Gate()
        first, _, _ = exchange([b"x" * 60, b"x"], gate, held=100)
        await first.receive()
        assert gate.held == 60
        second, _, _ = exchange([b"x" * 60, b"x"], gate, held=100)
        with pytest.raises(Refused, match="no more is taken") as refusal:
            await second.receive()
        assert refusal.value.status == 429
        with pytest.raises(Refused):
            exchange([], gate, held=100)[0].expect(41)

    asyncio.run(read())


def test_too_many_requests_at_a_time(texts):
    with asked(texts, requests=1) as client:
        client.app.state.service.gate.requests = 1
        refusal = client.post("/v1/embeddings", json=BODY)
        assert "1 requests are open" in sentence_of(refusal, 429) and refusal.headers["retry-after"] == "1"
        assert client.get("/health").status_code == 200


def test_a_full_queue_is_told_at_the_door(texts):
    with asked(texts, waiting=64) as client:
        batcher = client.app.state.service.batcher
        batcher.samples = 64
        assert "64 samples wait and at most 64 may" in sentence_of(client.post("/v1/embeddings", json=BODY), 429)
        assert client.post("/search", json={"id": "a"}).status_code == 404  # needs no place in the queue
        batcher.samples = 0
        assert vectors_of(client.post("/v1/embeddings", json=BODY)).shape[0] == 1


def test_while_it_stops(texts):
    with asked(texts) as client:
        client.app.state.service.gate.draining = True
        refusal = client.post("/v1/embeddings", json=BODY)
        assert "is stopping" in sentence_of(refusal, 503) and refusal.headers["retry-after"] == "1"
        health = client.get("/health")
        assert health.status_code == 503 and health.json()["status"] == "draining"
        assert "tacit_waiting_samples" in client.get("/metrics").text


def test_no_answer_in_time(texts):
    with asked(texts, seconds=0.05) as client:
        service = client.app.state.service
        service.model.doors["text"].load = lambda items: asyncio.run(asyncio.sleep(1))
        refusal = client.post("/v1/embeddings", json=BODY)
        assert "no answer in 0.05 s" in sentence_of(refusal, 504)
        assert service.batcher.samples == 0


def test_a_fault_shows_no_traceback(texts, monkeypatch):
    from starlette.testclient import TestClient

    with asked(texts) as client:
        door = client.app.state.service.model.doors["text"]
        monkeypatch.setattr(door, "load", lambda items: 1 / 0)
        quiet = TestClient(client.app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        said = sentence_of(quiet.post("/v1/embeddings", json=BODY), 500)
        assert said == "The server failed on this request; its log says why."
        counted = client.app.state.service.metrics.registry.get_sample_value
        assert counted("tacit_requests_total", {"route": "/v1/embeddings", "status": "500"}) == 1


def test_who_hangs_up_leaves_the_queue(texts):
    """By hand, since the client of the other tests never goes away."""

    async def go():
        limits = Limits()
        app = build(Model(texts, limits), None, limits)
        service = app.state.service
        stuck = asyncio.Event()
        loop = asyncio.get_running_loop()
        service.model.doors["text"].load = lambda items: asyncio.run_coroutine_threadsafe(stuck.wait(), loop).result()
        here = asyncio.Queue()
        await here.put({"type": "http.request", "body": b'{"input": ["a", "b", "c"]}', "more_body": False})
        scope = {"type": "http", "method": "POST", "path": "/v1/embeddings", "query_string": b"", "http_version": "1.1"}
        headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
        sent = []

        async def send(message):
            sent.append(message)

        asking = asyncio.create_task(app({**scope, "headers": headers, "raw_path": b"/v1/embeddings"}, here.get, send))
        while service.batcher.samples != 3:
            await asyncio.sleep(0.01)
        await here.put({"type": "http.disconnect"})
        await asyncio.wait_for(asking, 10)
        assert service.batcher.samples == 0 and service.gate.requests == 0
        assert service.metrics.registry.get_sample_value("tacit_given_up_total") == 1
        stuck.set()
        await asyncio.to_thread(service.batcher.close)

    asyncio.run(go())


def test_many_at_once_share_batches(texts):
    async def go():
        limits = Limits()
        app = build(Model(texts, limits), None, limits)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            asking = [client.post("/v1/embeddings", json={"input": [f"text {n}", "b"]}) for n in range(32)]
            answers = await asyncio.gather(*asking)
        service = app.state.service
        await asyncio.to_thread(service.batcher.close)
        return answers, service.metrics.registry.get_sample_value

    answers, value = asyncio.run(go())
    assert [answer.status_code for answer in answers] == [200] * 32
    assert value("tacit_batch_samples_sum") == 64
    assert value("tacit_batch_samples_count") <= 16  # far fewer than requests
    assert value("tacit_samples_total", {"kind": "text"}) == 64
    assert value("tacit_requests_total", {"route": "/v1/embeddings", "status": "200"}) == 32
