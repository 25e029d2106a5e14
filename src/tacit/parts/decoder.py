"""From the tokens of some patches to the content of all of them."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.parts.patches import sincos
from tacit.parts.transformer import Block


class Decoder(nn.Module):
    """Tokens of the kept patches and where they lie -> what every patch holds (He et al. 2021, arXiv:2111.06377, section 3).

    In the place of a patch that is not kept stands one learned token; positions are added to all, `depth` transformer layers
    follow, and a linear layer gives `out` numbers a patch. A TacitError names the methods' own options.
    """

    positions: Tensor

    def __init__(self, dim: int, width: int, depth: int, heads: int, grid: tuple[int, int], out: int):
        super().__init__()
        positive(decoder_width=width, decoder_depth=depth, decoder_heads=heads)
        if width % heads or width % 4:
            raise TacitError(f"decoder_width is {width}; give a multiple of 4 and of the {heads} heads.")
        self.embed = nn.Linear(dim, width)
        self.missing = nn.Parameter(torch.zeros(1, width))  # a matrix, so that it decays, as in the released code
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.predict = nn.Linear(width, out)
        self.register_buffer("positions", sincos(grid, grid, width), persistent=False)
        nn.init.normal_(self.missing, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor, keep: Tensor) -> Tensor:
        """n × k × dim and their places (int64, n × k) -> n × patches × out."""
        known = self.embed(tokens)
        whole = self.missing.to(known.dtype).expand(len(known), len(self.positions), -1)
        x = whole.scatter(1, keep[:, :, None].expand_as(known), known) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.predict(self.norm(x))
