"""Exact search: every vector is compared, in tiles, and the best are kept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tacit.embeddings.read import BATCH, Table
from tacit.embeddings.rows import vectors_of
from tacit.errors import TacitError

SIMILARITIES = ("cosine", "dot", "poincare")
QUERIES = 512  # compared at a time: a tile is 16 MB of scores
_LOW = 0xFFFFFFFF


class Hit(NamedTuple):
    """A row that was found."""

    id: str
    score: float  # the similarity that the table's provenance names, larger is nearer
    label: str | None
    path: str | None
    thumbnail: bytes | None
    text: str | None = None  # its beginning, where it is one


class Written(NamedTuple):
    """A query in words."""

    text: str


def search(table: Table, query_vectors: np.ndarray, top: int = 10, *, exclude: Sequence[str | None] = ()) -> list[list[Hit]]:
    """For each query (m × d) the `top` rows of largest similarity, best first; fewer where the table has fewer.

    `exclude` names for each query one id that is not to be found: its own, where it is a row of the table. Scores are
    summed in float64 and rounded to float32; of equal scores the row that was written first comes first. The cosine
    with a row of zeros counts as 0. Memory grows with m × top, not with the table.
    """
    queries = check_vectors(np.asarray(query_vectors), table)
    if top < 1:
        raise TacitError(f"{top} hits were asked for; ask for 1 or more.")
    if exclude and len(exclude) != len(queries):
        raise ValueError(f"{len(queries)} queries and {len(exclude)} ids to exclude")
    spare = bool(exclude)  # one more is kept where one may be taken away
    best = _best(table, queries, min(top + spare, len(table)))
    if exclude:
        own = np.full(len(queries), -1)
        named = [i for i, id in enumerate(exclude) if id is not None]
        own[named] = table.positions([id for id in exclude if id is not None])
        best = [keys[_position(keys) != position] for keys, position in zip(best, own)]
    best = [keys[:top] for keys in best]
    joined = np.concatenate(best) if best else np.empty(0, np.int64)
    shown = ("id", "label", "path", "thumbnail", *(("text",) if table.provenance.kind == "text" else ()))
    rows = table.at(_position(joined), shown).to_pylist()
    hits = iter([Hit(score=float(score), **row) for row, score in zip(rows, _score(joined))])
    return [[next(hits) for _ in keys] for keys in best]


def resolve(query: str, table: Table) -> str | Path | np.ndarray | Written:
    """What a query means: an id of the table (str), a file to be embedded (Path) or a vector (float64, d).

    In a table of texts, or of pairs, what is none of these is a text itself (Written), unless it looks like a file. A vector
    is a .npy file or numbers between commas, with or without brackets. What can be read in two ways, or in none, is a
    TacitError.
    """
    is_id = table.find([query])[0] >= 0
    is_file = _is_file(query)
    numbers = _numbers(query)
    if is_id and is_file and not _is_own_file(query, table):
        raise TacitError(
            f"{query!r} is both an id in {table.path} and another file here; write ./{query} for the file, or search from "
            "another folder for the id."
        )
    if numbers is not None and (is_id or is_file):
        raise TacitError(
            f"{query!r} is both a vector and the name of {'an id in the table' if is_id else 'a file'}; save the vector "
            "as a .npy file and give that."
        )
    if is_id:
        return query
    if is_file:
        return _load(Path(query), table) if Path(query).suffix == ".npy" else Path(query)
    if numbers is not None:
        return check_vectors(numbers[None], table)[0]
    if table.provenance.kind in ("text", "pair") and query.strip() and not _looks_like_file(query):
        return Written(query)
    raise TacitError(
        f"{query!r} is no id in {table.path}, no file and no vector; the nearest id is {table.nearest_id(query)!r}."
    )


def check_vectors(vectors: np.ndarray, table: Table) -> np.ndarray:
    """m × d vectors that can be compared with a table's, as float64; a TacitError says why they cannot."""
    made = table.provenance
    if made.form != "dense" or made.similarity not in SIMILARITIES:
        raise TacitError(
            f"{table.path} holds {made.form} vectors compared by {made.similarity}; searched can be dense ones compared by "
            f"{', '.join(SIMILARITIES[:-1])} or {SIMILARITIES[-1]}."
        )
    if vectors.ndim != 2 or vectors.shape[1] != made.dim:
        shape = " × ".join(map(str, vectors.shape[1:])) or "1"
        raise TacitError(f"A query has {shape} numbers, those of {table.path} have {made.dim}; embed it with the same encoder.")
    vectors = vectors.astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise TacitError(f"Query number {broken[0] + 1} holds NaN or infinite numbers and cannot be compared; embed it anew.")
    if made.similarity == "poincare" and (np.square(vectors).sum(axis=1) >= 1).any():
        raise TacitError(
            f"A query lies outside of the unit ball in which the points of {table.path} lie; embed it with their run."
        )
    if made.similarity == "cosine" and not vectors.any(axis=1).all():
        number = int(np.flatnonzero(~vectors.any(axis=1))[0]) + 1
        raise TacitError(f"Query number {number} is all zeros, which has no direction to compare; give another.")
    return vectors


def _best(table: Table, queries: np.ndarray, top: int) -> list[np.ndarray]:
    """The packed scores and positions of the best rows of each query, best first: m × top."""
    similarity = table.provenance.similarity
    cosine, scores = similarity == "cosine", _nearness if similarity == "poincare" else np.matmul
    if cosine:
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    blocks = [queries[at : at + QUERIES] for at in range(0, len(queries), QUERIES)]
    best = [np.empty((len(block), 0), np.int64) for block in blocks]
    start = 0
    for batch in table.stream(BATCH, ("vector",)):
        vectors = vectors_of(batch).astype(np.float64)
        if cosine:
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors /= np.where(length > 0, length, 1)
        position = np.arange(start, start + len(vectors))
        for number, block in enumerate(blocks):
            keys = np.concatenate([best[number], _pack(scores(block, vectors.T).astype(np.float32), position)], axis=1)
            keep = min(top, keys.shape[1])
            best[number] = np.partition(keys, -keep, axis=1)[:, -keep:]
        start += len(vectors)
    return [row[::-1] for block in best for row in np.sort(block, axis=1)]


def _nearness(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Minus the distance in the Poincaré ball (Nickel, Kiela 2017, equation 1), m × d and d × n -> m × n.

    float32 has rounded the others to within 6e−8, which in the outermost 1e−6 of the ball is seen in the distance.
    """
    inside = [np.maximum(1 - np.square(x).sum(axis=axis), 1e-10) for x, axis in ((points, 1), (others, 0))]
    apart = np.square(points).sum(axis=1)[:, None] + np.square(others).sum(axis=0) - 2 * (points @ others)
    return -np.arccosh(1 + 2 * np.maximum(apart, 0) / (inside[0][:, None] * inside[1]))


# A score and its position in one int64: the score, in an order-keeping code, above the complement of the position. The
# largest are then the best, and of equal scores the earlier row is the larger.


def _pack(scores: np.ndarray, position: np.ndarray) -> np.ndarray:
    bits = (scores + np.float32(0)).view(np.int32)  # adding 0 makes −0 equal to 0
    code = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (code.astype(np.int64) << 32) + (_LOW - position)


def _score(keys: np.ndarray) -> np.ndarray:
    code = (keys >> 32).astype(np.int32)
    return (code ^ ((code >> 31) & 0x7FFFFFFF)).view(np.float32)


def _position(keys: np.ndarray) -> np.ndarray:
    return _LOW - (keys & _LOW)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a vector can be longer than a name may be
        return False


def _looks_like_file(text: str) -> bool:
    """Whether somebody who typed this meant a file that is not there: a path, or a name with a suffix and no space."""
    return not any(map(str.isspace, text.strip())) and (len(Path(text).suffix) in (4, 5) and Path(text).suffix[1:].isalnum())


def _is_own_file(id: str, table: Table) -> bool:
    """Whether the file of this name is the one that the row of this id came from."""
    path = table.row(id).path
    return path is not None and _is_file(path) and Path(path).samefile(id)


def _numbers(text: str) -> np.ndarray | None:
    """The numbers of `1, 2.5, -3` or `[1, 2.5, -3]`, if it is that."""
    text = text.strip()
    if "," not in text and not text.startswith("["):
        return None
    try:
        found = json.loads(text if text.startswith("[") else f"[{text}]")
        only_numbers = bool(found) and all(type(number) in (int, float) for number in found)
        return np.array(found, dtype=np.float64) if only_numbers else None
    except (ValueError, RecursionError, OverflowError):
        return None


def _load(file: Path, table: Table) -> np.ndarray:
    try:
        vector = np.lib.format.open_memmap(file, mode="r")  # no pickle, and no more memory than the file is long
    except (ValueError, EOFError, OSError) as error:
        raise TacitError(f"{file} is no .npy file of numbers ({error}); save the vector with numpy.save.") from error
    if vector.dtype.kind not in "fiu":
        raise TacitError(f"{file} holds {vector.dtype} and not numbers; save the vector as float32 with numpy.save.")
    return check_vectors(vector if vector.ndim == 2 and len(vector) == 1 else vector[None], table)[0]
