"""From the tokens of some groups of points to the points of the others."""

import torch
from torch import Tensor, nn

from tacit.parts.transformer import Block


class GroupDecoder(nn.Module):
    """Tokens of kept groups, and where all lie -> points of the hidden ones (Pang et al. 2022, arXiv:2203.06604, section 3.3).

    One learned token stands for every hidden group, a perceptron of the centre says where each lies, `depth` transformer layers
    follow, and a linear layer gives the coordinates of `size` points around each hidden centre.
    """

    def __init__(self, dim: int, depth: int, heads: int, size: int):
        super().__init__()
        self.size = size
        self.missing = nn.Parameter(torch.zeros(1, dim))
        self.where = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, dim))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.predict = nn.Linear(dim, 3 * size)
        nn.init.trunc_normal_(self.missing, std=0.02)
        for module in (*self.where.modules(), *self.blocks.modules(), self.predict):
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor, kept: Tensor, hidden: Tensor) -> Tensor:
        """n × k × dim, centres n × k × 3 and n × h × 3 -> n × h × size × 3."""
        unknown = self.missing.to(tokens.dtype).expand(len(tokens), hidden.shape[1], -1)
        x = torch.cat([tokens, unknown], 1) + self.where(torch.cat([kept, hidden], 1))
        for block in self.blocks:
            x = block(x)
        return self.predict(self.norm(x[:, kept.shape[1] :])).unflatten(2, (self.size, 3))
