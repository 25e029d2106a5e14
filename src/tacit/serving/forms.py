"""What is asked and answered, as the OpenAPI page shows it."""

import base64
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from tacit.embeddings.search import Hit
from tacit.serving.limits import TOP

Cell = bool | int | float | str | None
Encoding = Literal["float", "base64"]


class Asked(BaseModel):
    """A body of JSON; a field that is not known is refused, for it was meant to do something."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class EmbeddingRequest(Asked):
    """As OpenAI's clients send it. `input` is one text or several; of other runs vectors, or rows as objects."""

    input: Annotated[
        str | list[str] | list[float] | list[list[float]] | list[dict[str, Cell]],
        Field(examples=["a red bicycle", ["a red bicycle", "a blue one"]]),
    ]
    model: str | None = None
    encoding_format: Encoding = "float"
    dimensions: int | None = None
    user: str | None = None  # of OpenAI's clients; it changes nothing


class SearchRequest(Asked):
    """One of `text`, `id`, `vector` and `row`; the rest as of `tacit search`."""

    text: str | None = None
    id: str | None = None
    vector: list[float] | None = None
    row: dict[str, Cell] | None = None
    top: Annotated[int, Field(ge=1, le=TOP)] = 10
    where: str = ""
    thumbnails: bool = False


class Embedding(BaseModel):
    object: Literal["embedding"]
    index: int
    embedding: list[float] | str  # or the little-endian float32 of it in base64


class Usage(BaseModel):
    prompt_tokens: int  # of texts; 0 of other kinds
    total_tokens: int


class EmbeddingList(BaseModel):
    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


class Found(BaseModel):
    id: str
    score: float  # larger is nearer
    label: str | None
    text: str | None
    thumbnail: str | None  # PNG or JPEG in base64, where it was asked for


class SearchAnswer(BaseModel):
    similarity: str
    version: int  # of the table
    hits: list[Found]


class ModelCard(BaseModel):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    object: Literal["list"]
    data: list[ModelCard]


class TableHealth(BaseModel):
    rows: int
    version: int
    current: bool  # whether it is the version that lies on disk


class Health(BaseModel):
    status: Literal["ready", "draining"]
    model: str
    kinds: list[str]
    table: TableHealth | None


class ErrorDetail(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    error: ErrorDetail


def embedding_list(vectors: np.ndarray, tokens: int, model: str, encoding: Encoding) -> Response:
    """The answer with vectors, n × d float32. JSON is written by orjson, which knows arrays: a list of floats would be most
    of the cost of a request."""
    rows = np.ascontiguousarray(vectors, np.float32)
    if encoding == "base64":
        shown: list[Any] = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in rows]
    else:
        shown = list(rows)
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(shown)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_answer({"object": "list", "data": data, "model": model, "usage": usage})


def search_answer(hits: list[Hit], similarity: str, version: int, thumbnails: bool) -> Response:
    """What was found. Paths are left out: they are those of this machine."""
    found = [
        {
            "id": hit.id,
            "score": hit.score,
            "label": hit.label,
            "text": hit.text,
            "thumbnail": base64.b64encode(hit.thumbnail).decode() if thumbnails and hit.thumbnail else None,
        }
        for hit in hits
    ]
    return json_answer({"similarity": similarity, "version": version, "hits": found})


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Anything as JSON."""
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), status, headers, "application/json")
