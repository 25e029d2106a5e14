"""The vectors of a sample's tokens, and a table of them searched by late interaction."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tacit.embeddings.read import Table
from tacit.embeddings.rows import tokens_of
from tacit.embeddings.search import Hit
from tacit.errors import TacitError
from tacit.method import Batch, Ragged, Tokens
from tacit.numerics.exact import unit
from tacit.retrieval.late_interaction import maxsim
from tacit.retrieval.token_pooling import pooled
from tacit.run import Run, seen
from tacit.sides import Side
from tacit.views import Program
from tacit.views.kinds import Plain

SIMILARITY = "maxsim"  # the sum over a query's tokens of the largest inner product with one of a row's
PIECE = 512  # rows that are read at a time


def encoder_of(run: Run | Side) -> Tokens:
    """What says something of each token; a run without such an encoder is a TacitError."""
    encoder = run.encoder if isinstance(run, Run) else None
    if not isinstance(encoder, Tokens):
        raise TacitError(
            f"The encoder of {run.path} has no vectors of tokens; take one that has, such as small_vit or text_transformer, or "
            "leave --tokens out."
        )
    return encoder


def represented(run: Run | Side, content: Any, index: np.ndarray, pool: int = 1) -> Ragged:
    """Decoded content of n samples -> the vectors of their tokens at length one, or with `pool` the means of about so many of
    a sample's by `token_pooling`. A token that is all zeros is none."""
    encoder = encoder_of(run)
    assert isinstance(run, Run), "it has such an encoder"
    program = Program(Plain(), run.views)

    def tokens(batch: Batch) -> Tensor:
        return encoder.tokens(batch.views[0])

    (z,) = seen(tokens, program, content, index, 0, run.device, run.autocast, whole=True)
    there = (z != 0).any(2)
    counts = there.sum(1)
    if not counts.all():
        raise TacitError("A sample has no tokens to compare, such as a text without words; leave it out.")
    return pooled(Ragged(unit(z[there]), torch.nn.functional.pad(counts.cumsum(0), (1, 0))), pool)


def ragged(batch: Any) -> Ragged:
    """The vectors of a table's rows."""
    values, offsets = tokens_of(batch)
    return Ragged(torch.from_numpy(values.copy()), torch.from_numpy(offsets))  # torch wants memory that can be written


def search(
    table: Table, questions: Ragged, top: int = 10, *, exclude: Sequence[str | None] = (), where: str = ""
) -> list[list[Hit]]:
    """For each question the `top` rows of largest `maxsim`, best first; fewer where the table has fewer.

    `exclude` and `where` as in `embeddings.search`. Every row is compared, PIECE at a time; of equal scores the row that was
    written first comes first. Memory grows with questions × (top + PIECE), not with the table.
    """
    if questions.values.shape[1] != table.provenance.dim:
        raise TacitError(
            f"A query's tokens have {questions.values.shape[1]} numbers, those of {table.path} {table.provenance.dim}; embed "
            "it with the same encoder."
        )
    if top < 1:
        raise TacitError(f"{top} hits were asked for; ask for 1 or more.")
    count = len(questions.offsets) - 1
    own = np.full((count, 1), -1)
    named = [i for i, id in enumerate(exclude) if id is not None]
    own[named, 0] = table.positions([id for id in exclude if id is not None]) if named else -1
    scores, places = np.empty((count, 0), np.float32), np.empty((count, 0), np.int64)
    for positions, rows in _pieces(table, where):
        near = maxsim(questions, rows).numpy()
        near[positions == own] = -np.inf
        scores = np.concatenate([scores, near], axis=1)
        places = np.concatenate([places, np.broadcast_to(positions, near.shape)], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]  # of equals the earlier
        scores, places = np.take_along_axis(scores, best, 1), np.take_along_axis(places, best, 1)
    return _hits(table, scores, places)


def _pieces(table: Table, where: str) -> Iterator[tuple[np.ndarray, Ragged]]:
    """The positions and token vectors of a table's rows, or of those that meet a condition, in pieces."""
    if where:
        among = table.where(where)
        for start in range(0, len(among), PIECE):
            some = among[start : start + PIECE]
            yield some, ragged(table.at(some, ("vector",)))
        return
    start = 0
    for batch in table.stream(PIECE, ("vector",)):
        yield np.arange(start, start + len(batch)), ragged(batch)
        start += len(batch)


def _hits(table: Table, scores: np.ndarray, places: np.ndarray) -> list[list[Hit]]:
    shown = ("id", "label", "path", "thumbnail", *(("text",) if table.provenance.kind == "text" else ()))
    kept = scores > -np.inf
    rows = iter(table.at(places[kept], shown).to_pylist() if kept.any() else ())
    return [[Hit(score=float(score), **next(rows)) for score in line[there]] for line, there in zip(scores, kept)]
