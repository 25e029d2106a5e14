"""A transformer that predicts what stands at some places from what stands at others."""

import torch
from torch import Tensor, nn

from tacit.parts.transformer import Block


class TokenPredictor(nn.Module):
    """Known tokens and a mask token for each asked place, positions added, through blocks: the answers at the asked places.

    Positions are sines and cosines of a token's number (Vaswani et al. 2017, arXiv:1706.03762, section 3.5).
    """

    def __init__(self, dim: int, width: int, depth: int, heads: int):
        super().__init__()
        self.embed, self.out = nn.Linear(dim, width), nn.Linear(width, dim)
        self.mask = nn.Parameter(torch.randn(width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, known: Tensor, where: Tensor, asked: Tensor) -> Tensor:
        """Tokens n × k × dim at the places `where` (int64, n × k), and the places asked for (int64, n × m) -> n × m × dim."""
        width = len(self.mask)
        rates = 10_000 ** (-torch.arange(0, width, 2, device=known.device) / width)

        def positions(places: Tensor) -> Tensor:
            turns = places[:, :, None] * rates
            return torch.stack([turns.sin(), turns.cos()], 3).flatten(2)

        tokens = torch.cat([self.embed(known) + positions(where), self.mask + positions(asked)], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.out(self.norm(tokens[:, where.shape[1] :]))
