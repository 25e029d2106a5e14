"""Late interaction: each token of a question finds the token of a document that is most like it."""

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.method import Ragged

TILE = 1 << 22  # scores of tokens held at once


def maxsim(questions: Ragged, documents: Ragged) -> Tensor:
    """For each question and document the sum, over the question's tokens, of the largest inner product with one of the
    document's: float32, m × n (Khattab and Zaharia 2020, arXiv:2004.12832, equation 3).

    Exact, in tiles of documents of like length. A short document repeats its last token there, which moves no maximum.
    A document or question without tokens is a TacitError.
    """
    lengths = documents.offsets.diff()
    asked = questions.offsets.diff()
    if not (lengths > 0).all() or not (asked > 0).all():
        raise TacitError("Some questions or documents have no tokens; leave them out.")
    owner = torch.repeat_interleave(torch.arange(len(asked), device=asked.device), asked)
    tokens, values = questions.values.float(), documents.values.float()
    scores = tokens.new_empty(len(lengths), len(asked))
    order = lengths.argsort()
    at = 0
    while at < len(order):
        # as many as the tile holds if all were as long as its longest: documents come in order of length
        longest = torch.arange(1, len(order) - at + 1, device=order.device) * lengths[order[at:]]
        count = max(int(torch.searchsorted(longest, max(TILE // len(tokens), 1), right=True)), 1)
        some = order[at : at + count]
        wide = int(lengths[some[-1]])
        place = torch.minimum(torch.arange(wide, device=order.device), lengths[some, None] - 1)
        near = values[(documents.offsets[some, None] + place).flatten()]
        best = (near @ tokens.T).view(count, wide, -1).amax(1)  # documents × tokens of the questions
        scores[some] = best.new_zeros(count, len(asked)).index_add_(1, owner, best)
        at += count
    return scores.T
