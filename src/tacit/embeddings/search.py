"""Search: every vector is compared, in tiles, or an index names candidates; the best are scored again and kept."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from tacit.embeddings.index import unit
from tacit.embeddings.read import Table, mapped_array
from tacit.embeddings.rows import vectors_of
from tacit.errors import TacitError

SIMILARITIES = ("cosine", "dot", "poincare")
PIECE = 1 << 27  # bytes of vectors compared at a time
MARGIN = 2  # more candidates than hits, since float32 may swap near ones
RESCORED = 1 << 15  # candidates scored again at a time
_LOW = 0xFFFFFFFF


class Hit(NamedTuple):
    """A row that was found."""

    id: str
    score: float  # the similarity that the table's provenance names, larger is nearer
    label: str | None
    path: str | None
    thumbnail: bytes | None
    text: str | None = None  # its beginning, where it is one


class Index(Protocol):
    """What looks for candidates in place of comparing every row."""

    def candidates(self, queries: np.ndarray, top: int) -> np.ndarray:
        """The positions of the rows that are probably nearest: m × d -> m × top or fewer, −1 where there are no more."""
        ...


class Written(NamedTuple):
    """A query in words."""

    text: str


def search(
    table: Table,
    query_vectors: np.ndarray,
    top: int = 10,
    *,
    exclude: Sequence[str | None] = (),
    where: str = "",
    index: Index | None = None,
    before: int = 0,
) -> list[list[Hit]]:
    """For each query (m × d) the `top` rows of largest similarity, best first; fewer where the table has fewer.

    exclude  for each query one id that is not to be found: its own, where it is a row of the table
    where    a condition on the columns, as SQL has it (`label = '3' AND split = 'train'`): only such rows are compared
    index    looks for candidates; without it, or with `where`, every row is compared
    before   how many queries came before these, where they come in parts: by it one that is refused is numbered

    Scores are summed in float64 and rounded to float32; of equal scores the row that was written first comes first. The
    cosine with a row of zeros counts as 0. Memory grows with m × top, not with the table.
    """
    queries = check_vectors(np.asarray(query_vectors), table, before)
    if top < 1:
        raise TacitError(f"{top} hits were asked for; ask for 1 or more.")
    if exclude and len(exclude) != len(queries):
        raise ValueError(f"{len(queries)} queries and {len(exclude)} ids to exclude")
    among = table.where(where) if where else None
    own = np.full(len(queries), -1)
    named = [i for i, id in enumerate(exclude) if id is not None]
    if named:
        own[named] = table.positions([id for id in exclude if id is not None])
    wanted = min(top + bool(exclude) + MARGIN, len(table) if among is None else len(among))
    if index is not None and among is None:
        candidates = index.candidates(unit(queries, table.provenance.similarity), wanted)
    else:
        candidates = nearest_rows(table, queries, wanted, among)
    lines = max(RESCORED // max(wanted, 1), 1)
    blocks = [slice(at, at + lines) for at in range(0, len(queries), lines)]
    return [hits for some in blocks for hits in _hits(table, queries[some], candidates[some], own[some], top)]


def nearest_rows(table: Table, queries: np.ndarray, top: int, among: np.ndarray | None = None) -> np.ndarray:
    """The positions of the `top` rows nearest to each query, of all or of those `among` them, by scores in float32."""
    similarity = table.provenance.similarity
    best = np.empty((len(queries), 0), np.int64)
    scored = _ball_scored if similarity == "poincare" else _product_scored
    asked = queries if similarity == "poincare" else unit(queries, similarity)
    for positions, vectors in _pieces(table, among):
        scores, place = scored(
            asked, vectors if similarity == "poincare" else unit(vectors, similarity), min(top, len(vectors))
        )
        best = np.concatenate([best, _pack(scores, positions[place])], axis=1)
        keep = min(top, best.shape[1])
        best = np.partition(best, -keep, axis=1)[:, -keep:] if keep else best
    return _position(np.sort(best, axis=1)[:, ::-1])


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


def check_vectors(vectors: np.ndarray, table: Table, before: int = 0) -> np.ndarray:
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
        raise TacitError(
            f"Query number {before + broken[0] + 1} holds NaN or infinite numbers and cannot be compared; embed it anew."
        )
    if made.similarity == "poincare" and (np.square(vectors).sum(axis=1) >= 1).any():
        raise TacitError(
            f"A query lies outside of the unit ball in which the points of {table.path} lie; embed it with their run."
        )
    if made.similarity == "cosine" and not vectors.any(axis=1).all():
        number = before + int(np.flatnonzero(~vectors.any(axis=1))[0]) + 1
        raise TacitError(f"Query number {number} is all zeros, which has no direction to compare; give another.")
    return vectors


def _pieces(table: Table, among: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The positions and vectors of a table's rows, or of some, in pieces."""
    count = max(PIECE // (4 * table.provenance.dim), 1)
    if among is not None:
        for start in range(0, len(among), count):
            some = among[start : start + count]
            yield some, vectors_of(table.at(some, ("vector",)))
        return
    if table.held is not None:
        for start in range(0, len(table), count):
            some = table.held[start : start + count]
            yield np.arange(start, start + len(some)), some
        return
    start = 0
    for batch in table.stream(count, ("vector",)):
        yield np.arange(start, start + len(batch)), vectors_of(batch)
        start += len(batch)


def _product_scored(queries: np.ndarray, vectors: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    import torch

    from tacit.numerics.topk import nearest

    found = nearest(torch.from_numpy(queries), torch.from_numpy(vectors), top)
    return found.scores.numpy(), found.positions.numpy()


def _ball_scored(queries: np.ndarray, vectors: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    keys = _pack(_nearness(queries, vectors.astype(np.float64).T).astype(np.float32), np.arange(len(vectors)))
    keys = np.partition(keys, -top, axis=1)[:, -top:]
    return _score(keys), _position(keys)


def _hits(table: Table, queries: np.ndarray, candidates: np.ndarray, own: np.ndarray, top: int) -> list[list[Hit]]:
    """The best of each query's candidates by scores in float64; −1 is none, and nobody is its own."""
    shown = ("id", "label", "path", "thumbnail", *(("text",) if table.provenance.kind == "text" else ()))
    valid = (candidates >= 0) & (candidates != own[:, None])
    places, back = np.unique(np.where(valid, candidates, 0), return_inverse=True)
    if not candidates.size:
        return [[] for _ in queries]
    rows = table.at(places, shown if table.held is not None else (*shown, "vector"))
    own_vectors = table.held[places] if table.held is not None else vectors_of(rows)
    vectors = own_vectors.astype(np.float64)[back.reshape(candidates.shape)]
    scores = _SCORES[table.provenance.similarity](queries, vectors).astype(np.float32)
    keys = np.where(valid, _pack(scores, np.maximum(candidates, 0)), np.iinfo(np.int64).min)
    keys = np.sort(keys, axis=1)[:, ::-1][:, :top]
    kept = keys > np.iinfo(np.int64).min
    chosen = rows.select(list(shown)).take(np.searchsorted(places, _position(keys[kept]))).to_pylist()
    hits = iter([Hit(score=float(score), **row) for row, score in zip(chosen, _score(keys[kept]))])
    return [[next(hits) for _ in range(count)] for count in kept.sum(axis=1)]


def _dot(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """m × d and m × k × d -> m × k."""
    return np.einsum("md,mkd->mk", queries, vectors)


def _cosine(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=2)
    return _dot(queries / np.linalg.norm(queries, axis=1, keepdims=True), vectors) / np.where(length > 0, length, 1)


def _ball(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.stack([_nearness(query[None], some.T)[0] for query, some in zip(queries, vectors)])


_SCORES = {"cosine": _cosine, "dot": _dot, "poincare": _ball}


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
    vector = mapped_array(file)
    if vector.dtype.kind not in "fiu":
        raise TacitError(f"{file} holds {vector.dtype} and not numbers; save the vector as float32 with numpy.save.")
    return check_vectors(vector if vector.ndim == 2 and len(vector) == 1 else vector[None], table)[0]
