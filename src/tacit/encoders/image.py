"""Two small image encoders that learn fast on a few cores, at 28 to 64 pixels and any other size."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Facts
from tacit.parts.patches import cut, sincos, take
from tacit.parts.transformer import Block
from tacit.views.masks import fitting_patch


class SmallResNet(nn.Module):
    """A residual network (He et al. 2016, arXiv:1512.03385) for small images: 3×3 stem, no max pooling.

    The stem already halves the image, so most of the arithmetic happens at a quarter of its side, where it is cheapest
    per parameter: 38 million multiply-adds at 32 × 32, 0.9 million parameters. Stage i has `depth[i]` blocks of
    `width` · 2^i channels and halves the map, but for the first. The last norm of a block starts at one, not zero, so that
    each parameter gets a gradient from the first step.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 48, depth: tuple[int, ...] = (1, 2, 1)):
        super().__init__()
        channels, _, _ = image_shape(facts)
        if width < 1 or not depth or min(depth) < 1:
            raise TacitError(
                f"small_resnet got width {width} and depth {depth}; both count from 1: blocks per stage, as in (1, 2, 1)."
            )
        widths = [width, *(width * 2**i for i in range(len(depth)))]
        blocks: list[nn.Module] = []
        for stage, ((before, after), count) in enumerate(zip(pairwise(widths), depth)):
            blocks.append(_Residual(before, after, stride=2 if stage else 1))
            blocks.extend(_Residual(after, after, stride=1) for _ in range(count - 1))
        self.stem = nn.Sequential(_conv(channels, width, 3, stride=2), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(*blocks)
        self.dim = widths[-1]

    def maps(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim × h/2^s × w/2^s (rounded up) for s stages: the last block's answer."""
        return self.blocks(self.stem(x))

    def forward(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim: the mean over the map."""
        return self.maps(x).mean((2, 3))


class SmallViT(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) of 2.7 million parameters.

    Differs from the paper: fixed sine-cosine positions (Chen, Xie, He 2021, arXiv:2104.02057), no biases on queries, keys
    and values (the keys' cancels in the softmax), and the mean of the tokens instead of a class token, which is as good
    or better (Beyer, Zhai, Kolesnikov 2022, arXiv:2205.01580) and leaves token i to be patch i and nothing else.

    patch  side of a patch in pixels; 0: the divisor of the image's side that cuts it most nearly into 8
    """

    dim: int
    patch: int
    grid: tuple[int, int]  # patches down and across, of an image of the declared size
    positions: Tensor

    def __init__(self, facts: Facts, *, patch: int = 0, width: int = 192, depth: int = 6, heads: int = 3):
        super().__init__()
        channels, height, across = image_shape(facts)
        if width < 4 or heads < 1 or depth < 1 or width % heads or width % 4:
            raise TacitError(
                f"small_vit got width {width}, depth {depth} and heads {heads}; the width must be a multiple of 4 and of "
                "the heads, and each of them above 0: keep to 64 per head."
            )
        self.dim, self.patch = width, patch or fitting_patch(height, across)
        self.grid = self._grid(height, across)
        self.embed = nn.Linear(channels * self.patch**2, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.register_buffer("positions", sincos(self.grid, self.grid, width), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Images n × c × h × w -> n × t × dim, one token per patch, row by row.

        With `keep` (int64, n × t, positions in that order) only those patches enter the network, even its first layer:
        the cost falls with their number. An image of another size than declared (a small crop) is cut into patches of
        the same side, whose positions are spread over the declared grid.
        """
        grid = self._grid(*x.shape[-2:])
        patches = cut(x, self.patch)
        positions = self.positions if grid == self.grid else sincos(grid, self.grid, self.dim).to(x.device)
        if keep is not None:
            patches, positions = take(patches, keep), positions[keep]
        tokens = self.embed(patches) + positions
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def maps(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim × h/patch × w/patch: the tokens where their patches lie."""
        return self.tokens(x).transpose(1, 2).unflatten(2, self._grid(*x.shape[-2:]))

    def forward(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim: the mean of the tokens."""
        return self.tokens(x).mean(1)

    def _grid(self, height: int, across: int) -> tuple[int, int]:
        if self.patch < 1 or height % self.patch or across % self.patch or not height or not across:
            raise TacitError(
                f"An image of {height} × {across} pixels cannot be cut into patches of {self.patch} × {self.patch}; "
                "give views whose side is a multiple of the patch, or another patch."
            )
        return height // self.patch, across // self.patch


def image_shape(facts: Facts) -> tuple[int, int, int]:
    """Channels, height and width of one view."""
    if len(facts.shape) != 3 or min(facts.shape) < 1:
        raise TacitError(
            f"An image encoder needs views of shape (channels, height, width), and these have {facts.shape}; "
            "take an encoder for this kind of data."
        )
    channels, height, width = facts.shape
    return channels, height, width


class _Residual(nn.Module):
    """Two 3×3 convolutions around which the input is added; n × before × h × w -> n × after × h/stride × w/stride."""

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.conv1, self.norm1 = _conv(before, after, 3, stride), nn.BatchNorm2d(after)
        self.conv2, self.norm2 = _conv(after, after, 3, 1), nn.BatchNorm2d(after)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(_conv(before, after, 1, stride), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x), inplace=True)


def _conv(before: int, after: int, side: int, stride: int) -> nn.Conv2d:
    """Without bias, since a norm follows; He's initialisation for ReLU."""
    conv = nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv
