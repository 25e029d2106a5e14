"""Two small encoders of videos: one whose convolutions reach through time, one that sees single frames."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from tacit.encoders.image import SmallResNet
from tacit.errors import TacitError
from tacit.method import Facts

REACH = 3  # frames that a convolution through time sees
STILL = 1  # stages whose convolutions see single frames


class SmallR3D(nn.Module):
    """A 3-D residual network (Hara, Kataoka, Satoh 2018, arXiv:1711.09577) for short clips of small frames.

    As in CVRL's (arXiv:2008.03800, table 1) the stem sees several frames, the first stage single ones and later stages three
    at a time. Every later stage halves the picture and the clip. Stage i has `depth[i]` blocks of `width` · 2^i channels.
    """

    dim: int

    def __init__(self, facts: Facts, *, width: int = 24, depth: tuple[int, ...] = (1, 1, 1)):
        super().__init__()
        channels, *_ = video_shape(facts)
        if width < 1 or not depth or min(depth) < 1:
            raise TacitError(
                f"small_r3d got width {width} and depth {depth}; both count from 1: blocks per stage, as in (1, 1, 1)."
            )
        widths = [width, *(width * 2**i for i in range(len(depth)))]
        blocks: list[nn.Module] = []
        for stage, ((before, after), count) in enumerate(zip(pairwise(widths), depth)):
            reach = REACH if stage >= STILL else 1
            blocks.append(_Residual(before, after, reach, stride=2 if stage else 1))
            blocks.extend(_Residual(after, after, reach, stride=1) for _ in range(count - 1))
        stem = _conv(channels, width, (REACH, 3, 3), (1, 2, 2))
        self.stem = nn.Sequential(stem, nn.BatchNorm3d(width), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(*blocks)
        self.dim = widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Clips n × c × t × h × w, of any length and size -> n × dim: the mean over time and picture."""
        return self.blocks(self.stem(x)).mean((2, 3, 4))


class FrameResNet(nn.Module):
    """Each frame through a small residual network (`SmallResNet`), and the mean over time: blind to the order of frames."""

    dim: int

    def __init__(self, facts: Facts, *, width: int = 32, depth: tuple[int, ...] = (1, 1, 1)):
        super().__init__()
        channels, _, height, across = video_shape(facts)
        self.each = SmallResNet(Facts("image", facts.n, (channels, height, across)), width=width, depth=depth)
        self.dim = self.each.dim

    def forward(self, x: Tensor) -> Tensor:
        """Clips n × c × t × h × w -> n × dim."""
        return self.frames(x).mean((1, 3, 4))

    def frames(self, x: Tensor) -> Tensor:
        """Clips n × c × t × h × w -> n × t × dim × high × wide: each frame by itself, before the mean over the picture."""
        return self.each.maps(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (x.shape[0], x.shape[2]))


def video_shape(facts: Facts) -> tuple[int, int, int, int]:
    """Channels, frames, height and width of one view."""
    if len(facts.shape) != 4 or min(facts.shape) < 1:
        raise TacitError(
            f"An encoder of videos needs views of shape (channels, frames, height, width), and these have {facts.shape}; "
            "take an encoder for this kind of data."
        )
    channels, frames, height, width = facts.shape
    return channels, frames, height, width


class _Residual(nn.Module):
    """Two convolutions around which the input is added; n × before × t × h × w -> n × after × t/stride × h/stride × w/stride.

    The first reaches through time, over `reach` frames; the second sees single frames.
    """

    def __init__(self, before: int, after: int, reach: int, stride: int):
        super().__init__()
        strides = (stride if reach > 1 else 1, stride, stride)
        self.conv1, self.norm1 = _conv(before, after, (reach, 3, 3), strides), nn.BatchNorm3d(after)
        self.conv2, self.norm2 = _conv(after, after, (1, 3, 3), (1, 1, 1)), nn.BatchNorm3d(after)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(_conv(before, after, (1, 1, 1), strides), nn.BatchNorm3d(after))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x), inplace=True)


def _conv(before: int, after: int, reach: tuple[int, int, int], stride: tuple[int, int, int]) -> nn.Conv3d:
    """Without bias, since a norm follows; He's initialisation for ReLU."""
    padding = (reach[0] // 2, reach[1] // 2, reach[2] // 2)
    conv = nn.Conv3d(before, after, reach, stride, padding=padding, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv
