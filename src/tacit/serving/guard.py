"""Before anything of a request is read: who sends it, how much, how slowly, and whether there is room."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from time import perf_counter
from typing import Any

import orjson

from tacit.serving.batching import Batcher
from tacit.serving.limits import Limits, Refused, full

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

OPEN = ("/health", "/docs", "/openapi.json")  # without a key: they tell nothing of the data
QUEUED = "/v1/embeddings"  # what these routes are sent waits in the queue
ALWAYS = ("/health", "/metrics")  # while the server stops, too
LINGER = 10.0  # seconds, and as many times the largest body, that are read on of what was refused


class Gate:
    """What all requests share: how many there are, how many bytes they hold, whether the server is stopping."""

    def __init__(self) -> None:
        self.requests = self.held = 0
        self.draining = False


class Guard:
    """The outermost layer. Refusals are answered at once, in OpenAI's form of an error.

    Without a key only those are answered who name this machine itself: a page in a browser that made its own name point here
    (DNS rebinding) is not.
    """

    def __init__(self, app: App, key: str, hosts: tuple[str, ...], gate: Gate, batcher: Batcher):
        self.app, self.hosts, self.gate, self.batcher = app, hosts, gate, batcher
        self.limits, self.metrics = batcher.limits, batcher.metrics
        self._key = sha256(key.encode()).digest() if key else b""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)  # its start and end
            return
        started = perf_counter()
        exchange = Exchange(receive, send, self.limits, self.gate)
        counted = scope["path"] not in ALWAYS
        self.gate.requests += counted
        try:
            await self._answer(scope, exchange)
        finally:
            self.gate.held -= exchange.held
            self.gate.requests -= counted
            route = getattr(scope.get("route"), "path", "none")
            self.metrics.requests.labels(route, exchange.status or 500).inc()
            self.metrics.seconds.labels(route).observe(perf_counter() - started)

    async def _answer(self, scope: Message, exchange: "Exchange") -> None:
        try:
            self._admit(scope)
            exchange.expect(_length(scope))
            await self.app(scope, exchange.receive, exchange.send)
        except Refused as refused:
            exchange.refused = exchange.refused or refused
        if exchange.refused is not None:
            await exchange.refuse()

    def _admit(self, scope: Message) -> None:
        headers = dict(scope["headers"])
        path = scope["path"]
        if self._key and path not in OPEN:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer" or not hmac.compare_digest(sha256(given.strip()).digest(), self._key):
                raise Refused(401, "wrong_key", "The key is missing or wrong; send it as `Authorization: Bearer KEY`.")
        if self.hosts and _host(headers.get(b"host", b"")) not in self.hosts:
            raise Refused(400, "wrong_host", f"This server answers to {', '.join(self.hosts)}; start it with a key for others.")
        if self.gate.draining and path not in ALWAYS:
            raise Refused(503, "draining", "The server is stopping; send this to another.", wait=1)
        if self.gate.requests > self.limits.requests:
            raise full(f"{self.limits.requests:,} requests are open, which is the most")
        if path.startswith(QUEUED) and self.batcher.samples >= self.limits.waiting:  # before its body is read
            raise self.batcher.full()


class Exchange:
    """One request and its answer. Bytes are counted as they come, against its own bound and that of all together."""

    def __init__(self, receive: Receive, send: Send, limits: Limits, gate: Gate):
        self._receive, self._send, self.limits, self.gate = receive, send, limits, gate
        self.held = self.came = 0
        self.whole = self.begun = False
        self.refused: Refused | None = None
        self.status = 0
        self._end = asyncio.get_running_loop().time() + limits.arriving

    def expect(self, length: int | None) -> None:
        """What the head says is to come."""
        if length is not None:
            self._check(length)
            self._hold(length)

    async def receive(self) -> Message:
        if self.whole:
            return await self._receive()  # which waits for the client to go away
        if self.refused is not None:
            raise self.refused
        try:
            left = self._end - asyncio.get_running_loop().time()
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
            self.came += len(message.get("body", b""))
            self._check(self.came)
            self._hold(self.came)
        except TimeoutError:
            self.refused = Refused(408, "too_slow", f"The request did not arrive in {self.limits.arriving:g} s; send it again.")
            raise self.refused from None
        except Refused as refused:
            self.refused = refused  # whoever reads the body may make another error of it
            raise
        self.whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.refused is not None and not self.begun:
            return
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
        await self._send(message)

    async def refuse(self) -> None:
        """Answer, and read on for a while: who is cut off while sending does not see the answer."""
        assert self.refused is not None
        if self.begun:
            return
        body = orjson.dumps(self.refused.body)
        self.status = self.refused.status
        told = {"content-type": "application/json", "content-length": str(len(body)), **self.refused.headers}
        if not self.whole:
            told["connection"] = "close"
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        await self._send({"type": "http.response.start", "status": self.refused.status, "headers": headers})
        lingers = not self.whole and self.refused.status != 408
        await self._send({"type": "http.response.body", "body": body, "more_body": lingers})
        if lingers:
            await self._linger()
            await self._send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        left = LINGER * self.limits.body
        end = asyncio.get_running_loop().time() + LINGER
        while left > 0 and (time := end - asyncio.get_running_loop().time()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), time)
            except TimeoutError:
                return
            left -= len(message.get("body", b""))
            if not message.get("more_body", False):
                return

    def _check(self, length: int) -> None:
        if length > self.limits.body:
            most = self.limits.body / 2**20
            raise Refused(413, "too_large", f"The request is larger than {most:g} MiB; send it in parts.")

    def _hold(self, length: int) -> None:
        more = max(length - self.held, 0)
        if self.gate.held + more > self.limits.held:
            raise full(f"Requests hold {self.gate.held / 2**20:.0f} MiB, and no more is taken")
        self.held += more
        self.gate.held += more


def _length(scope: Message) -> int | None:
    given = dict(scope["headers"]).get(b"content-length", b"")
    return int(given) if given.isdigit() else None


def _host(given: bytes) -> str:
    """Without its port."""
    text = given.decode("latin-1").lower()
    return text.partition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]
