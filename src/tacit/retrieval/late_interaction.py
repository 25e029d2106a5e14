"""Late interaction: each token of a question finds the token of a document that is most like it."""

import warnings
from bisect import bisect_right

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.method import Ragged

TILE = 1 << 18  # scores of tokens at once, which stay in a core's cache


def maxsim(questions: Ragged, documents: Ragged) -> Tensor:
    """For each question and document the sum, over the question's tokens, of the largest inner product with one of the
    document's: float32, m × n (Khattab and Zaharia 2020, arXiv:2004.12832, equation 3).

    In tiles of documents as they lie, so that no token is copied and no score outlives its tile. Inner products are taken in
    the documents' own type: of bfloat16 in half the time, rounded to 3 digits. A document or question without tokens is a
    TacitError.
    """
    lengths = documents.offsets.diff()
    asked = questions.offsets.diff()
    if not (lengths > 0).all() or not (asked > 0).all():
        raise TacitError("Some questions or documents have no tokens; leave them out.")
    owner = torch.repeat_interleave(torch.arange(len(asked), device=asked.device), asked)
    tokens = questions.values.to(documents.values.dtype)
    scores = tokens.new_empty(len(lengths), len(asked), dtype=torch.float32)
    ends, room, at = documents.offsets.tolist(), max(TILE // len(tokens), 1), 0
    while at < len(lengths):
        stop = max(bisect_right(ends, ends[at] + room) - 1, at + 1)
        near = (documents.values[ends[at] : ends[stop]] @ tokens.T).float()
        best = _largest(near, lengths[at:stop])
        scores[at:stop] = best.new_zeros(stop - at, len(asked)).index_add_(1, owner, best)
        at = stop
    return scores.T


def _largest(near: Tensor, lengths: Tensor) -> Tensor:
    """The largest of each column of the rows that are of one document, which stand one after another: documents × columns."""
    if len(near) == len(lengths) * int(lengths[0]) and (lengths == lengths[0]).all():
        return near.view(len(lengths), -1, near.shape[1]).amax(1)
    document = torch.repeat_interleave(torch.arange(len(lengths), device=near.device), lengths)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="index_reduce.. is in beta")
        return near.new_full((len(lengths), near.shape[1]), -torch.inf).index_reduce_(0, document, near, "amax")
