"""What is said of a crop: by two class tokens of the whole, by attention from places of its parts."""

from typing import Protocol

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Tokens
from tacit.parts.dino_head import DINOHead
from tacit.parts.transformer import Block, attention

BOTTLENECK = 256  # of the head


class Grid(Tokens, Protocol):
    """One token for each patch of an image, row by row."""

    patch: int  # side in pixels
    grid: tuple[int, int]  # patches down and across, of an image of the declared size


class Said(nn.Module):
    """Two class tokens that read the patches in a last block, one layer of attention from places, and one head for all."""

    def __init__(self, width: int, heads: int, hidden: int, k: int):
        super().__init__()
        if heads < 1 or width % heads:
            raise TacitError(f"The encoder's tokens have {width} numbers, which {heads} heads of attention do not divide.")
        self.heads = heads
        self.tokens = nn.Parameter(nn.init.trunc_normal_(torch.empty(2, width), std=0.02))
        self.block = Block(width, heads)
        self.norm, self.before, self.after = (nn.LayerNorm(width, eps=1e-6) for _ in range(3))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        for layer in (self.qkv, self.out):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
        self.head = DINOHead(width, hidden, BOTTLENECK, k)

    def whole(self, patches: Tensor) -> Tensor:
        """Tokens of patches n × t × d -> the two class tokens, n × 2 × d."""
        return self.norm(self.block(torch.cat([self.tokens.expand(len(patches), -1, -1), patches], 1))[:, :2])

    def parts(self, patches: Tensor, where: Tensor) -> Tensor:
        """Tokens of patches n × t × d, and places as weights of them, n × s × t -> n × s × d."""
        x = self.before(patches)
        q, k, v = self.qkv(x).chunk(3, 2)
        q, k, v = (one.unflatten(2, (self.heads, -1)).transpose(1, 2) for one in (where @ q, k, v))
        among = attention(q, k, v).transpose(1, 2).flatten(2)
        return self.after(self.out(among) + where @ x)
