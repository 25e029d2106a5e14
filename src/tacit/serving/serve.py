"""`tacit serve`: a run, and a table that it made, answered for by HTTP."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from tacit.errors import TacitError
from tacit.run import Run

LOCAL = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost", "[::1]")  # of this machine
SHORTEST = 16  # letters of a key


class Served(NamedTuple):
    """What a server did until it was stopped."""

    requests: int
    samples: int


def serve(
    run: Run | str | Path,
    *,
    table: str | Path | None = None,
    key_file: str | Path | None = None,
    host: str = LOCAL,
    port: int = 8000,
    batch: int = 64,
    waiting: int = 2048,
    seconds: float = 60.0,
    body: int = 64,
    device: str = "auto",
    told: Callable[[str], None] = lambda sentence: None,
) -> Served:
    """Answer for a run by HTTP until SIGTERM or SIGINT, which let what was begun be answered: `docs/serving.md`.

    table     is searched; it must be of this run's encoder; a path, or an address such as s3://bucket/photos.lance
    key_file  holds the key that clients send; without one only this machine is served
    port      0: any that is free
    batch     samples that the encoder sees at once
    waiting   samples that may wait; what comes beyond is refused at once
    seconds   until an answer
    body      MiB of one request
    told      hears where the server is, and what becomes of the table
    """
    key = read_key(Path(key_file)) if key_file is not None else ""
    refuse_open(host, key)
    try:
        from tacit.serving.app import build
        from tacit.serving.limits import Limits
        from tacit.serving.model import Model
        from tacit.serving.process import answer
        from tacit.serving.shelf import Shelf
    except ImportError as error:
        raise TacitError(f"Serving needs {error.name}, which is not installed; pip install 'tacit[serve]'.") from None
    limits = Limits(batch=batch, waiting=waiting, seconds=seconds, body=int(body) << 20)
    listening = listen(host, port)
    with listening:
        model = Model(run if isinstance(run, Run) else Run(run, device), limits)
        shelf = None if table is None else Shelf(table, model.fingerprint, told)
        app = build(model, shelf, limits, key, () if key else (*NAMES, host))
        address, at = listening.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        told(f"{model.name} is served at http://{shown}:{at} (its routes are listed at /docs); stop it with Ctrl-C.")
        return answer(app, listening, told)


def read_key(file: Path) -> str:
    """The key in a file: one line of at least SHORTEST letters."""
    try:
        key = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise TacitError(
            f"There is no key file {file}; make one: python -c 'import secrets; print(secrets.token_urlsafe(32))' > {file}"
        ) from None
    except UnicodeDecodeError:
        raise TacitError(f"{file} holds more than ASCII letters; write a key of letters and digits.") from None
    if len(key) < SHORTEST or any(map(str.isspace, key)):
        raise TacitError(f"{file} must hold one word of at least {SHORTEST} letters; what is there is none, or too short.")
    return key


def refuse_open(host: str, key: str) -> None:
    """Without a key nobody else's machine is answered."""
    try:
        local = ip_address(host.strip("[]")).is_loopback
    except ValueError:
        local = host == "localhost"
    if not (local or key):
        raise TacitError(f"--host {host} lets other machines in; give --key-file too, or leave --host out.")


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for clients. A peer that no longer takes what it is sent, or is gone, is dropped by the system."""
    if not 0 <= port <= 65535:
        raise TacitError(f"--port is {port}; give a number from 0 (any that is free) to 65535.")
    bare = host.strip("[]")
    made = socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
        made.bind((bare, port))
        made.listen(2048)
    except OSError as error:
        made.close()
        raise TacitError(
            f"Nothing can listen at {host}:{port} ({error.strerror or error}); give another --port or --host."
        ) from None
    return made
