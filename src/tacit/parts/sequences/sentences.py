"""Texts as rows of words for compiled kernels, and how often each word comes."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

TOGETHER = 8192  # texts that are read at once


@runtime_checkable
class NGrams(Protocol):
    """An encoder of texts by the mean of `rows`: of tokens, from 1, and behind them of `buckets` that n-grams of up to `ngrams`
    tokens share."""

    dim: int
    rows: Tensor
    ngrams: int
    buckets: int

    def __call__(self, x: Tensor) -> Tensor: ...


def sentences(texts: Any, index: np.ndarray) -> np.ndarray:
    """The tokens of these texts, counted from 1: int32, n × the longest of them, −1 after the end of each."""
    (tokens, offsets), _ = texts.read(index)
    lengths = np.diff(offsets.numpy())
    found = np.full((len(index), max(int(lengths.max(initial=0)), 1)), -1, np.int32)
    found[np.arange(found.shape[1]) < lengths[:, None]] = tokens.numpy() + 1
    return found


def counted(texts: Any, words: int) -> np.ndarray:
    """How often each of `words` tokens, counted from 1, comes in all texts: int64; the first number is of no word, 0."""
    found = np.zeros(words, np.int64)
    for start in range(0, len(texts), TOGETHER):
        (tokens, _), _ = texts.read(np.arange(start, min(start + TOGETHER, len(texts))))
        found += np.bincount(tokens.numpy() + 1, minlength=words)
    return found
