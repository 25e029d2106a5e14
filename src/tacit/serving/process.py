"""The server's process: its connections, its signals, its end."""

import asyncio
import signal
import socket
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tacit.serving.app import Service
from tacit.serving.serve import Served

HEADS = 10.0  # seconds in which the head of a request must have come
IDLE = 30  # seconds that a connection is kept without a request
FLUSH = 5  # seconds for connections to take their last answers once the server stops


class Patient(HttpToolsProtocol):
    """uvicorn's connection, which also gives up a client that never finishes the head of a request."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._wait_no_more()
        self._late = self.loop.call_later(HEADS, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """uvicorn's server, which at a signal refuses what is new, answers what was begun, and then ends; at a second at once."""

    def __init__(self, config: uvicorn.Config, service: Service, told: Callable[[str], None]):
        super().__init__(config)
        self.service, self.told = service, told
        self._latest = 0.0  # until when what was begun may take

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        gate = self.service.gate
        if gate.draining:
            self.should_exit = self.force_exit = True
            return
        gate.draining = True
        self._latest = monotonic() + self.service.limits.seconds
        self.told(f"{signal.Signals(sig).name}: {gate.requests} requests are finished, then the server ends.")

    async def on_tick(self, counter: int) -> bool:
        gate = self.service.gate
        if gate.draining and (gate.requests == 0 or monotonic() > self._latest):
            self.should_exit = True
        return await super().on_tick(counter)


def server_of(app: FastAPI, told: Callable[[str], None]) -> Server:
    """The application with connections that bear slow clients."""
    config = uvicorn.Config(
        app,
        http=Patient,
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=FLUSH,
    )
    return Server(config, app.state.service, told)


def answer(app: FastAPI, listening: socket.socket, told: Callable[[str], None]) -> Served:
    """Serve until a signal."""
    server_of(app, told).run([listening])
    counted = app.state.service.metrics
    return Served(_sum(counted.requests), _sum(counted.samples))


def _sum(counter: Any) -> int:
    """Over all labels."""
    return int(sum(s.value for family in counter.collect() for s in family.samples if s.name.endswith("_total")))
