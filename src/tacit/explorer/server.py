"""What the page asks for, over HTTP on this machine alone.

Two doors are shut. Another page of the browser cannot reach the server by a name of its own (DNS rebinding), since the Host
header must be this machine's; and neither another page nor another user of the machine can ask for anything, since every
request but for the page's own three files must carry a random token, which stands in the page's address after the # and so
is sent nowhere. Nothing is read but the tables, the run's log and those files.
"""

import secrets
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tacit.errors import TacitError
from tacit.explorer.selecting import save_selection
from tacit.explorer.shown import Shown, matched

if TYPE_CHECKING:  # it imports what draws its curves, which takes seconds
    from tacit.explorer.watching import Watched

HOSTS = ["127.0.0.1", "localhost"]
BUNDLE = Path(__file__).parent / "bundle"
FILES = {"/": "index.html", "/page.js": "page.js", "/page.css": "page.css"}
UPLOAD = 32 << 20  # bytes of a query or a selection, at most
TOP = 100  # neighbours, at most
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class Page:
    """What is asked for of tables beside one another and of a run."""

    def __init__(self, tables: Sequence[Shown], watched: "Watched | None", folder: Path):
        self.tables, self.watched, self.folder = tables, watched, folder
        self.match = matched(*tables) if len(tables) == 2 else None
        self._renewing = Lock()

    def about(self, request: Request) -> Response:
        tables = [table.about() for table in self.tables]
        return JSONResponse({"tables": tables, "run": self.watched is not None, "folder": str(self.folder)})

    def points(self, request: Request) -> Response:
        """float32: x and y of each row."""
        return _binary(self._table(request).points)

    def column(self, request: Request) -> Response:
        """int32 where the column has names, else float32."""
        columns = self._table(request).columns
        return _binary(columns[_number(request, "column", 0, len(columns) - 1)].values)

    def matches(self, request: Request) -> Response:
        """int32: for each row of the second table its row in the first, or −1."""
        if self.match is None:
            raise TacitError("Only one table is shown.")
        return _binary(self.match)

    def rows(self, request: Request) -> Response:
        asked = request.query_params.get("rows", "")
        if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in asked.split(",")):
            raise TacitError("The numbers of rows were expected, such as rows=0,5.")
        return JSONResponse(self._table(request).rows([int(part) for part in asked.split(",")]))

    def near(self, request: Request) -> Response:
        """The nearest to a row, to an id, or to words."""
        table, top = self._table(request), _number(request, "top", 1, TOP)
        asked = request.query_params
        if "row" in asked:
            row = _number(request, "row", 0, len(table.table) - 1)
            return JSONResponse({"row": row, "hits": table.near_row(row, top)})
        if "id" in asked:
            row = table.row_of(asked["id"])
            return JSONResponse({"row": row, "hits": table.near_row(row, top)})
        return JSONResponse({"row": None, "hits": table.near_words(asked.get("words", ""), top)})

    async def near_file(self, request: Request) -> Response:
        """The nearest to what was sent: the bytes of a file, whose ending is `suffix`."""
        table, top = self._table(request), _number(request, "top", 1, TOP)
        suffix = request.query_params.get("suffix", "").lower()
        table.check_ending(suffix)
        content = await _body(request)
        with tempfile.TemporaryDirectory(prefix="tacit-explore-") as folder:
            file = Path(folder) / f"query{suffix}"
            file.write_bytes(content)
            try:
                hits = await run_in_threadpool(table.near_file, file, top)
            except TacitError as error:
                raise TacitError(str(error).replace(str(file), file.name)) from None
        return JSONResponse({"row": None, "hits": hits})

    async def save(self, request: Request) -> Response:
        """Save the rows that were sent (int32) as a manifest."""
        table, name = self._table(request), request.query_params.get("name", "")
        content = await _body(request)
        if len(content) % 4:
            raise TacitError("A selection is whole numbers of four bytes each.")
        rows = np.unique(np.frombuffer(content, "<i4"))
        out = await run_in_threadpool(save_selection, table.table, rows, self.folder, name)
        return JSONResponse({"path": str(out), "kept": len(rows)})

    def changed(self, request: Request) -> Response:
        """The tables that are no longer what is shown, and the marks of those that are."""
        changed = [table.name for table in self.tables if table.changed()]
        return JSONResponse({"changed": changed, "marks": [table.mark for table in self.tables]})

    def renew(self, request: Request) -> Response:
        """Show the tables as they are now, which takes as long as their maps take; whoever else asks finds it done."""
        with self._renewing:
            tables = [table.now() for table in self.tables]
            match = matched(*tables) if len(tables) == 2 else None
            self.tables, self.match = tables, match
        return JSONResponse({"marks": [table.mark for table in tables]})

    def run(self, request: Request) -> Response:
        if self.watched is None:
            raise TacitError("No run is watched; give its folder to tacit explore.")
        return JSONResponse(self.watched.told(request.query_params.get("seen", "")))

    def _table(self, request: Request) -> Shown:
        if not self.tables:
            raise TacitError("No table is shown; give one to tacit explore.")
        return self.tables[_number(request, "table", 0, len(self.tables) - 1)]


def application(tables: Sequence[Shown], watched: "Watched | None", folder: Path, token: str) -> ASGIApp:
    """The server of one page, for whoever knows the token."""
    page = Page(tables, watched, folder)

    def file(name: str) -> Callable[[Request], Response]:
        return lambda request: FileResponse(BUNDLE / name)

    routes = [
        *(Route(path, file(name)) for path, name in FILES.items()),
        Route("/api/about", page.about),
        Route("/api/points", page.points),
        Route("/api/column", page.column),
        Route("/api/matches", page.matches),
        Route("/api/rows", page.rows),
        Route("/api/near", page.near),
        Route("/api/near-file", page.near_file, methods=["POST"]),
        Route("/api/selection", page.save, methods=["POST"]),
        Route("/api/changed", page.changed),
        Route("/api/renew", page.renew, methods=["POST"]),
        Route("/api/run", page.run),
    ]
    doors = [
        Middleware(Guarded, token=token),
        Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
    ]
    return Starlette(routes=routes, middleware=doors, exception_handlers={TacitError: _refused, ClientDisconnect: _gone})


class Guarded:
    """Adds the headers that keep the page to itself, and answers nobody who does not know the token."""

    def __init__(self, app: ASGIApp, token: str):
        self.app, self.token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", ()), *said]
            await send(message)

        given = dict(scope["headers"]).get(b"x-tacit-token", b"")
        if scope["path"].startswith("/api/") and not secrets.compare_digest(given, self.token):
            sentence = "The address of this page lacks its token; open the address that tacit explore printed."
            return await JSONResponse({"error": sentence}, 403)(scope, receive, sent)
        await self.app(scope, receive, sent)


def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it


def _binary(values: np.ndarray) -> Response:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return Response(little.tobytes(), media_type="application/octet-stream")


def _number(request: Request, name: str, least: int, most: int) -> int:
    """A whole number that was asked for by name, within bounds."""
    said = request.query_params.get(name, "0")
    if not (said.isascii() and said.isdigit() and len(said) < 12) or not least <= int(said) <= most:
        raise TacitError(f"{name} is {said[:20]!r}; a whole number from {least} to {most} was expected.")
    return int(said)


async def _body(request: Request) -> bytes:
    """What was sent, if it is not too much."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > UPLOAD:
            raise TacitError(f"More than {UPLOAD >> 20} MB were sent; give a smaller file.")
        parts.append(part)
    return b"".join(parts)
