"""The routes: each reads what came, has it embedded with what others sent, and answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, FastAPI, File, Form, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from tacit.errors import TacitError
from tacit.serving import forms
from tacit.serving.batching import Batcher, Embedded
from tacit.serving.guard import Gate, Guard
from tacit.serving.limits import TOP, Limits, Refused
from tacit.serving.metrics import Metrics
from tacit.serving.model import Door, Model
from tacit.serving.page import POLICY, page
from tacit.serving.reading import read_uploads
from tacit.serving.shelf import Shelf

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "What came cannot be understood or used"},
    401: {"description": "The key is missing or wrong"},
    404: {"description": "No such model, id or page"},
    408: {"description": "The request came too slowly"},
    409: {"description": "The table was replaced by another encoder's"},
    413: {"description": "Too many bytes, samples or pixels"},
    429: {"description": "No room at the moment; Retry-After says when"},
    500: {"description": "A fault of the server"},
    503: {"description": "The server is stopping"},
    504: {"description": "No answer in time"},
}
routes = APIRouter(responses={status: {"model": forms.ErrorBody, **told} for status, told in REFUSALS.items()})
Files = Annotated[list[UploadFile], File(description="One or several files of the run's kind")]


class Service:
    """What the routes share."""

    def __init__(self, model: Model, shelf: Shelf | None, limits: Limits):
        self.model, self.shelf, self.limits = model, shelf, limits
        self.metrics, self.gate = Metrics(), Gate()
        self.batcher = Batcher(limits, self.metrics)

    async def embed(self, request: Request, door: Door, items: Sequence[Any]) -> Embedded:
        """Items with those of other requests; what is not answered in time, or whose client went away, leaves the queue."""
        job = self.batcher.submit(door, items, sum(map(door.reader.size, items)))
        answer = asyncio.wrap_future(job.answer)
        gone = asyncio.ensure_future(_gone(request))
        try:
            waits: list[asyncio.Future[Any]] = [answer, gone]
            await asyncio.wait(waits, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                found = answer.result()
                self.metrics.samples.labels(door.reader.kind).inc(len(found.vectors))
                return found
            if gone.done():
                self.metrics.given_up.inc()
                raise Refused(499, "gone", "The client went away.")
            raise Refused(504, "too_late", f"There was no answer in {self.limits.seconds:g} s; send less, or later.", wait=1)
        finally:
            gone.cancel()
            answer.cancel()  # which cancels the job, where it is not done

    def searched(self) -> Shelf:
        if self.shelf is None:
            raise Refused(404, "no_table", "This server searches no table; start it with --table.")
        return self.shelf

    async def nearest(self, vector: np.ndarray, top: int, where: str, exclude: list[str], thumbnails: bool) -> Response:
        shelf = self.searched()
        hits = await run_in_threadpool(shelf.search, vector, top, where, exclude)
        return forms.search_answer(hits, shelf.table.provenance.similarity, shelf.table.version, thumbnails)


@routes.post("/v1/embeddings", response_model=forms.EmbeddingList)
async def embeddings(request: Request, asked: forms.EmbeddingRequest) -> Response:
    """Vectors of texts, as OpenAI's clients ask for them; of other runs those of vectors or of rows."""
    service: Service = request.app.state.service
    service.model.named(asked.model)
    values = [asked.input] if isinstance(asked.input, str) else asked.input
    if not values:
        raise Refused(400, "empty", "input is empty; send at least one sample.", param="input")
    if len(values) > service.limits.samples and not isinstance(values[0], int | float):
        raise Refused(413, "too_many", f"input holds {len(values):,} samples; send at most {service.limits.samples:,}.")
    door = service.model.given(values)
    items = await run_in_threadpool(door.reader.given, values)
    return await _embedded(request, door, items, asked.dimensions, asked.encoding_format)


@routes.post("/v1/embeddings/upload", response_model=forms.EmbeddingList)
async def uploaded_embeddings(
    request: Request,
    files: Files,
    model: Annotated[str | None, Form()] = None,
    encoding_format: Annotated[forms.Encoding, Form()] = "float",
    dimensions: Annotated[int | None, Form()] = None,
) -> Response:
    """Vectors of files: images, sounds, series or rows, as the run was trained on."""
    service: Service = request.app.state.service
    service.model.named(model)
    door, items = await _read(service, files)
    return await _embedded(request, door, items, dimensions, encoding_format)


@routes.post("/search", response_model=forms.SearchAnswer)
async def search(request: Request, asked: forms.SearchRequest) -> Response:
    """The rows of the table that are nearest to a text, an id of the table, a vector or a row."""
    service: Service = request.app.state.service
    shelf = service.searched()
    given = [name for name in ("text", "id", "vector", "row") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise Refused(400, "one_query", "Give one of text, id, vector and row; files are sent to /search/upload.")
    exclude: list[str] = []
    if asked.id is not None:
        vector = await run_in_threadpool(shelf.vector, asked.id)
        exclude = [asked.id]
    elif asked.vector is not None:
        vector = np.array(asked.vector)
    else:
        values = [asked.text if asked.text is not None else asked.row]
        door = service.model.given(values)
        items = await run_in_threadpool(door.reader.given, values)
        vector = (await service.embed(request, door, items)).vectors[0]
    return await service.nearest(vector, asked.top, asked.where, exclude, asked.thumbnails)


@routes.post("/search/upload", response_model=forms.SearchAnswer)
async def search_by_upload(
    request: Request,
    file: Annotated[UploadFile, File()],
    top: Annotated[int, Form(ge=1, le=TOP)] = 10,
    where: Annotated[str, Form()] = "",
    thumbnails: Annotated[bool, Form()] = False,
) -> Response:
    """The rows of the table that are nearest to a file with one sample."""
    service: Service = request.app.state.service
    service.searched()
    door, items = await _read(service, [file])
    if len(items) != 1:
        raise Refused(400, "one_query", f"The file holds {len(items):,} samples and a query is one; send a file with one.")
    found = await service.embed(request, door, items)
    return await service.nearest(found.vectors[0], top, where, [], thumbnails)


@routes.get("/v1/models", response_model=forms.ModelList)
async def models(request: Request) -> Response:
    """The one model that is served."""
    model: Model = request.app.state.service.model
    card = {"id": model.name, "object": "model", "created": model.created, "owned_by": "tacit"}
    return forms.json_answer({"object": "list", "data": [card]})


@routes.get("/health", response_model=forms.Health)
async def health(request: Request) -> Response:
    """Whether requests are taken: 200 ready, 503 draining."""
    service: Service = request.app.state.service
    shelf, draining = service.shelf, service.gate.draining
    told: dict[str, Any] = {"status": "draining" if draining else "ready", "model": service.model.name}
    told["kinds"] = [*service.model.doors]
    told["table"] = shelf and {"rows": len(shelf.table), "version": shelf.table.version, "current": not shelf.why}
    return forms.json_answer(told, 503 if draining else 200)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """What was counted, for Prometheus."""
    service: Service = request.app.state.service
    if service.shelf is not None:
        service.metrics.rows.set(len(service.shelf.table))
        service.metrics.version.set(service.shelf.table.version)
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def build(model: Model, shelf: Shelf | None, limits: Limits, key: str = "", hosts: tuple[str, ...] = ()) -> FastAPI:
    """The application. `hosts` are the names that it answers to, where there is no key; none: any."""
    service = Service(model, shelf, limits)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.ensure_future(_watch(shelf)) if shelf is not None else None
        yield
        if watching is not None:
            watching.cancel()
        await run_in_threadpool(service.batcher.close)

    app = FastAPI(
        title="Tacit", description=f"The run {model.name}: {model.kinds}.", lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.service = service
    app.include_router(routes)
    app.add_middleware(Guard, key=key, hosts=hosts, gate=service.gate, batcher=service.batcher)
    secret = {"--where": "where", str(model.run.path.resolve()): model.name, str(model.run.path): model.name}
    if shelf is not None:
        whole = shelf.path.resolve() if isinstance(shelf.path, Path) else shelf.path
        secret |= {str(whole): shelf.path.name, str(shelf.path): shelf.path.name}
    for error, handler in _handlers(secret).items():
        app.add_exception_handler(error, handler)
    app.openapi = lambda: _described(app, bool(key))  # type: ignore[method-assign]
    told = {"content-security-policy": POLICY}
    app.add_route("/docs", lambda asked: HTMLResponse(page(app.openapi(), str(asked.base_url)), headers=told))
    return app


def _handlers(secret: dict[str, str]) -> dict[type[Exception], Callable[[Request, Any], Response]]:
    """What becomes of an error: one sentence in OpenAI's form. What is `secret`, paths of this machine, is said otherwise."""

    def refused(error: Refused) -> Response:
        sentence = str(error)
        for path, name in secret.items():
            sentence = sentence.replace(path, name)
        body = error.body
        body["error"]["message"] = sentence
        return forms.json_answer(body, error.status, error.headers)

    def mistake(request: Request, error: TacitError) -> Response:
        return refused(error if isinstance(error, Refused) else Refused(400, "not_understood", str(error)))

    def unfit(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return refused(Refused(400, "no_json", f"The body is no JSON ({first['ctx']['error']}); send an object of JSON."))
        sent = request.headers.get("content-type", "").partition(";")[0]
        if first["loc"] == ("body",) and sent != "application/json":
            told = f"The body came as {sent or 'a type that is not said'}; send it with Content-Type: application/json."
            return refused(Refused(400, "no_json", told))
        place = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str | int))[:80]
        said = first["msg"][:1].lower() + first["msg"][1:200]
        return refused(Refused(400, "not_understood", f"{place or 'The request'}: {said}.", param=place or None))

    def http(request: Request, error: HTTPException) -> Response:
        page = request.url.path[:80]
        known = {
            404: f"There is no page {page!r} here; /docs lists them.",
            405: f"{page} takes no {request.method}; see /docs.",
        }
        sentence = known.get(error.status_code)
        answer = refused(Refused(error.status_code, "http", sentence or f"{str(error.detail).rstrip('.')}."))
        answer.headers.update(error.headers or {})
        return answer

    def fault(request: Request, error: Exception) -> Response:
        return refused(Refused(500, "fault", "The server failed on this request; its log says why."))

    return {TacitError: mistake, RequestValidationError: unfit, HTTPException: http, Exception: fault}


def _described(app: FastAPI, key: bool) -> dict[str, Any]:
    """The OpenAPI document: errors as they are here, and the key."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for path in found["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # what is not understood is answered with 400, as OpenAI does
        if key:
            found["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            found["security"] = [{"key": []}]
        app.openapi_schema = found
    return app.openapi_schema


async def _read(service: Service, files: Sequence[UploadFile]) -> tuple[Door, list[Any]]:
    """The items of uploaded files, and the door that they go through."""
    if len(files) > service.limits.samples:
        raise Refused(413, "too_many", f"{len(files):,} files came; send at most {service.limits.samples:,}.")
    door = service.model.file(files[0].filename or "")
    contents = [(file.filename or "", await file.read()) for file in files]
    return door, await run_in_threadpool(read_uploads, door.reader, contents, service.limits)


async def _embedded(
    request: Request, door: Door, items: Sequence[Any], dimensions: int | None, encoding: forms.Encoding
) -> Response:
    service: Service = request.app.state.service
    found = await service.embed(request, door, items)
    vectors = service.model.cut(found.vectors, dimensions)
    return forms.embedding_list(vectors, found.tokens, service.model.name, encoding)


async def _gone(request: Request) -> None:
    """Until the client has hung up; its body has come by now."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _watch(shelf: Shelf) -> None:
    while True:
        await asyncio.sleep(shelf.every)
        await run_in_threadpool(shelf.renew)
