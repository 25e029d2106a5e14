"""A text cut in two."""

import torch
from torch import Tensor


def phrases(tokens: Tensor, starts: Tensor, luck: Tensor) -> tuple[Tensor, Tensor]:
    """The beginning and the rest of each text, cut before a word: n × t, twice, zeros behind the last token.

    tokens  int64, n × t, zeros behind the last
    starts  bool, n × t: where a word begins; the first token begins one whatever is said of it
    luck    n, in [0, 1): by which one of the words but the first is chosen; a text of one word is both of its phrases
    """
    there = tokens > 0
    starts = starts & there
    starts[:, 0] = there[:, 0]
    word = starts.cumsum(1) - 1
    words = starts.sum(1)
    cut = 1 + (luck * (words - 1)).floor().clamp_min(0).long()
    first = there & (word < cut[:, None])
    rest = there & ((word >= cut[:, None]) | (words < 2)[:, None])
    return _only(tokens, first), _only(tokens, rest)


def _only(tokens: Tensor, shown: Tensor) -> Tensor:
    """The tokens that are shown, moved to the front."""
    order = (~shown).byte().argsort(dim=1, stable=True)
    return torch.where(shown, tokens, 0).gather(1, order)
