"""One embedding table that all categorical features share."""

import torch
from torch import Tensor, nn

PRIME = (1 << 31) - 1  # of the hashes; products stay below 2^63


class UnifiedEmbedding(nn.Module):
    """Feature multiplexing (Coleman et al. 2023, arXiv:2305.12102): all features look into one table, each by its hashes.

    Chunk j of feature t is row h_tj(value), h_tj(v) = (a_tj · v + b_tj mod p) mod `buckets` (Carter and Wegman 1979), so that
    equal values of two features, or two chunks of one value, lie in different rows. The chunks of a feature stand one after
    another; features are kept apart, since only separate weights in the next layer tell those that collide.
    Compared: tensorflow/recommenders@cf1dafa, its layer, in salts, chunks and one table. Differs: the hash; chunks stand in
    order of their number, there of their name; there are no several tables.
    """

    factor: Tensor
    shift: Tensor

    def __init__(self, features: int, buckets: int, width: int, chunks: int):
        super().__init__()
        self.table = nn.Parameter(torch.randn(buckets, width) * (width * chunks) ** -0.5)
        draws = torch.randint(1, PRIME, (2, features, chunks))
        self.register_buffer("factor", draws[0])
        self.register_buffer("shift", draws[1])

    def forward(self, values: Tensor) -> Tensor:
        """Values n × features (int64, 0 … 2^31 − 1) -> n × features × (chunks · width)."""
        rows = ((values[:, :, None] * self.factor + self.shift) % PRIME) % len(self.table)
        return self.table[rows].flatten(2)
