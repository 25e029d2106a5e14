"""Encoders of table rows: a perceptron on embedded columns, and a transformer over a token for each column."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Facts
from tacit.parts.mlp import mlp
from tacit.parts.transformer import Block
from tacit.parts.unified_embedding import UnifiedEmbedding
from tacit.views.columns import addresses, layout


class TableMLP(nn.Module):
    """A perceptron with `depth` hidden layers of `width`, batch normalisation (`norms`) and ReLU, then a linear one.

    Columns enter as the view has them, a category as one slot for each value, whose weights are its embedding. Columns of more
    values than have slots share one hashed table (Unified Embedding, Coleman et al. 2023, arXiv:2305.12102): `buckets` rows
    of `bucket_width`, and `chunks` of them for each value, put one after another.
    """

    dim: int
    plain: Tensor
    hashed: Tensor

    def __init__(
        self,
        facts: Facts,
        *,
        width: int = 256,
        depth: int = 3,
        buckets: int = 4096,
        bucket_width: int = 8,
        chunks: int = 2,
        norms: bool = True,
    ):
        super().__init__()
        positive(width=width, buckets=buckets, bucket_width=bucket_width, chunks=chunks)
        if depth < 0:
            raise TacitError(f"depth is {depth}; give 0 hidden layers or more.")
        slots = _slots(facts)
        last = [one.stop - 1 for one in slots if one.hashed]
        self.register_buffer("hashed", torch.tensor(last, dtype=torch.int64), persistent=False)
        rest = [i for i in range(facts.shape[0]) if i not in set(last)]
        self.register_buffer("plain", torch.tensor(rest), persistent=False)
        self.embedding = UnifiedEmbedding(len(last), buckets, bucket_width, chunks) if last else None
        more = len(last) * chunks * bucket_width
        self.layers = mlp(len(rest) + more, *(width,) * depth, width, norm=norms)
        self.dim = width

    def forward(self, x: Tensor) -> Tensor:
        """Views n × d -> n × dim."""
        if self.embedding is not None:
            values = addresses(x[:, self.hashed])
            x = torch.cat([x[:, self.plain], self.embedding(values).flatten(1)], 1)
        return self.layers(x)


class FeatureTokens(nn.Module):
    """A transformer over one token for each column (FT-Transformer, Gorishniy et al. 2021, arXiv:2106.11959, section 3.3).

    A number's token is its value times a vector plus a bias, a category's the vector of its value plus a bias, so that a
    hidden column is its bias alone. Columns of more values than slots add a row of a hashed table that they share.
    `registers` are tokens of no column that all may look at (Darcet et al. 2024, arXiv:2309.16588); their answers are no one's.
    Differs from the paper: no class token, the mean of the tokens in its place; blocks and their GELU are those of the other
    transformers here.
    """

    dim: int
    columns: int
    where: Tensor
    inside: Tensor
    hashed: Tensor

    def __init__(
        self,
        facts: Facts,
        *,
        width: int = 64,
        depth: int = 3,
        heads: int = 4,
        registers: int = 1,
        buckets: int = 4096,
        chunks: int = 2,
    ):
        super().__init__()
        positive(width=width, depth=depth, heads=heads, buckets=buckets, chunks=chunks)
        if width % heads or width % chunks:
            raise TacitError(f"width is {width}; give a multiple of the {heads} heads and of the {chunks} chunks.")
        slots = _slots(facts)
        c, most = len(slots), max(one.width - one.hashed for one in slots)
        where = torch.zeros(c, most, dtype=torch.int64)
        inside = torch.zeros(c, most, dtype=torch.bool)
        for i, one in enumerate(slots):
            own = one.width - one.hashed
            where[i, :own], inside[i, :own] = torch.arange(one.start, one.start + own), True
        self.register_buffer("where", where, persistent=False)
        self.register_buffer("inside", inside, persistent=False)
        last = [one.stop - 1 if one.hashed else -1 for one in slots]
        self.register_buffer("hashed", torch.tensor(last), persistent=False)
        self.weight = nn.Parameter(torch.randn(c, most, width) * width**-0.5 * inside[:, :, None])
        self.bias = nn.Parameter(torch.randn(c, width) * width**-0.5)
        many = sum(at >= 0 for at in last)
        self.embedding = UnifiedEmbedding(many, buckets, width // chunks, chunks) if many else None
        if registers < 0:
            raise TacitError(f"registers is {registers}; give 0 or more.")
        self.registers = nn.Parameter(torch.randn(registers, width) * width**-0.5) if registers else None
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.dim, self.columns = width, c

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Views n × d -> n × columns × dim; of the columns `keep` alone (int64, n × t) where it is given, in that order."""
        cells = x[:, self.where] * self.inside
        tokens = torch.einsum("ncs,csw->ncw", cells, self.weight) + self.bias
        if self.embedding is not None:
            many = self.hashed >= 0
            added = self.embedding(addresses(x[:, self.hashed[many]])).to(tokens.dtype)
            tokens = tokens.index_add(1, many.nonzero().flatten(), added)
        if keep is not None:
            tokens = tokens.gather(1, keep[:, :, None].expand(-1, -1, self.dim))
        shown = tokens.shape[1]
        if self.registers is not None:
            tokens = torch.cat([tokens, self.registers.to(tokens.dtype).expand(len(x), -1, -1)], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens[:, :shown])

    def forward(self, x: Tensor) -> Tensor:
        """Views n × d -> n × dim: the mean of the tokens."""
        return self.tokens(x).mean(1)


def _slots(facts: Facts) -> list:
    columns = facts.more.get("columns")
    if facts.kind != "table" or not columns:
        raise TacitError(f"An encoder of tables got facts of kind {facts.kind}; take an encoder for this kind of data.")
    return layout(columns)
