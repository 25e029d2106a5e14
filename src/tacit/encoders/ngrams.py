"""An average of vectors of tokens and of hashed n-grams: what sent2vec trains."""

import torch
from torch import Tensor, nn

from tacit.encoders.text import text_shape
from tacit.errors import TacitError, positive
from tacit.method import Facts
from tacit.numerics.cbow import FACTOR

TOKENS = 1 << 20  # that are looked up together, so that memory does not grow with the batch


class AveragedNGrams(nn.Module):
    """The mean of a row for each token of a text and for each n-gram of up to `ngrams` tokens, which share `buckets` rows by
    fastText's hash.

    Row 0 stands for a token that is told, then come the tokens, then the buckets. All begin uniform in ±1 / width.
    """

    dim: int
    rows: Tensor
    ngrams: int
    buckets: int

    def __init__(self, facts: Facts, *, width: int = 256, ngrams: int = 2, buckets: int = 100_000):
        super().__init__()
        positive(width=width, ngrams=ngrams, buckets=buckets)
        if buckets > 1 << 31:
            raise TacitError(f"buckets is {buckets}; give at most {1 << 31}, beyond which the hash overflows.")
        _, vocabulary = text_shape(facts)
        self.first = vocabulary + 1  # of the buckets
        self.rows = nn.Parameter((2 * torch.rand(self.first + buckets * (ngrams > 1), width) - 1) / width)
        self.dim, self.ngrams, self.buckets = width, ngrams, buckets

    def forward(self, x: Tensor) -> Tensor:
        """Texts n × t -> n × dim; of a text without tokens zeros."""
        found = [self._mean(part) for part in x.split(max(TOKENS // max(x.shape[1], 1), 1))]
        return torch.cat(found) if found else self.rows.new_zeros(0, self.dim)

    def _mean(self, x: Tensor) -> Tensor:
        hashed, places = x, [x]
        for n in range(1, self.ngrams):
            hashed = (hashed[:, :-1] * FACTOR + x[:, n:]) % self.buckets
            places.append(torch.where(x[:, n:] > 0, self.first + hashed, 0))  # tokens stand before what is none
        rows = torch.cat(places, 1)
        there = rows > 0
        counts = there.sum(1)
        return nn.functional.embedding_bag(rows[there], self.rows, counts.cumsum(0) - counts, mode="mean")
