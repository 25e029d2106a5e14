"""Two encoders of texts that are trained from nothing: an average of vectors of tokens, and a small transformer."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Facts
from tacit.parts.sequences.packed import PackedBlock, Packing, packing

SMOOTH = 0.02  # the share of texts at which a token weighs half: SIF's a = 0.001 for texts of 20 tokens


class Averaged(nn.Module):
    """The weighted mean of the vectors of a text's tokens, what is frequent weighing little (SIF: Arora, Liang, Ma 2017,
    "A simple but tough-to-beat baseline for sentence embeddings", ICLR, section 3).

    Weights begin as a / (a + share of the texts that have the token) and are learned on. Differs: no common direction is taken
    away. `dropout` sets elements of the mean to 0 in training, which is all that makes two looks at one text differ where
    views do not.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 256, dropout: float = 0.1):
        super().__init__()
        positive(width=width)
        _, vocabulary = text_shape(facts)
        self.table = nn.Embedding(vocabulary + 1, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=width**-0.5)
        counts = torch.tensor([0, *map(int, facts.more["seen"].split())], dtype=torch.float32)
        self.weight = nn.Parameter((SMOOTH / (SMOOTH + counts / max(int(facts.more["texts"]), 1))).log())
        self.dropout = nn.Dropout(dropout)
        self.dim = width

    def forward(self, x: Tensor) -> Tensor:
        """Texts n × t -> n × dim."""
        there = x > 0
        tokens, counts = x[there], there.sum(1)
        starts = counts.cumsum(0) - counts
        weight = self.weight[tokens].exp()
        added = nn.functional.embedding_bag(tokens, self.table.weight, starts, mode="sum", per_sample_weights=weight)
        total = nn.functional.embedding_bag(tokens, self.weight.exp()[:, None], starts, mode="sum")
        return self.dropout(added / total.clamp_min(1e-6))


class TextTransformer(nn.Module):
    """A small transformer over the tokens of a text, whose mean represents it; computed without padding.

    It reads as many tokens as views of training have, and of a longer text the first of them.
    """

    dim: int
    table: nn.Embedding

    def __init__(self, facts: Facts, *, width: int = 128, depth: int = 3, heads: int = 2, dropout: float = 0.1):
        super().__init__()
        longest, vocabulary = text_shape(facts)
        if min(width, heads, depth) < 1 or width % heads:
            raise TacitError(
                f"text_transformer got width {width}, depth {depth} and heads {heads}; the width must be a multiple of the "
                "heads, and each of them above 0: keep to 64 per head."
            )
        self.dim, self.longest = width, longest
        self.table = nn.Embedding(vocabulary + 1, width, padding_idx=0)
        self.where = nn.Parameter(torch.empty(longest, width))
        self.begin, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)
        self.blocks = nn.ModuleList(PackedBlock(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for weight in (self.table.weight, self.where):
            nn.init.normal_(weight, std=0.02)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Texts n × t -> n × t × dim, zeros where there is no token; `keep` is of other kinds of data."""
        row, among = self._packed(x)
        return among.padded(row)

    def forward(self, x: Tensor) -> Tensor:
        """Texts n × t -> n × dim: the mean of the tokens."""
        row, among = self._packed(x)
        return among.mean(row)

    def _packed(self, x: Tensor) -> tuple[Tensor, Packing]:
        x = x[:, : self.longest]
        among = packing(x > 0)
        row = among.pack(self.table(x) + self.where[: x.shape[1]])
        row = self.dropout(self.begin(row))
        for block in self.blocks:
            row = block(row, among)
        return self.norm(row), among


def text_shape(facts: Facts) -> tuple[int, int]:
    """Tokens of one view, and of the vocabulary."""
    if facts.kind != "text" or "seen" not in facts.more:
        raise TacitError(f"An encoder of texts was asked for, and the data are of kind {facts.kind}; take another encoder.")
    longest, vocabulary = facts.shape
    return int(longest), int(vocabulary)
