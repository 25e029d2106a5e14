"""Images and frames in, as views see them: shrunk as when they are decoded, the central square resized and standardised."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tacit.data.decoding import fit, stacked
from tacit.data.samples import Samples
from tacit.data.shrinking import LOBES
from tacit.exporting.front import Front, length, one
from tacit.views.image import ImageViews
from tacit.views.video import VideoViews

WHOLE = 1 << 30  # a side to which no image is shrunk


class ImageFront(Front):
    """uint8 images of any size -> n × channels × size × size, standardised.

    What is a gather of some pixels for each elsewhere is here a product with a matrix that is made from the image's size:
    first Lanczos' filter with rounding to whole grey levels (`data.shrinking`), then the antialiased bilinear one
    (`views.pixels.resized_crop`), each of the central square only.
    """

    names = ("image",)
    varying = ({0: "batch", 1: "height", 2: "width"},)

    def __init__(self, views: ImageViews, facts: Mapping[str, Any]):
        super().__init__()
        self.size, self.side, self.channels = views.size, int(facts["side"]), len(views.mean)
        self.mean, self.std = views.mean, views.std
        colours = "RGB" if self.channels == 3 else "grey"
        self.said = (f"uint8, batch × height × width × {self.channels}: {colours} images of one size, upright, any size",)

    def forward(self, image: Tensor) -> Tensor:
        high, wide = length(image[0, :, 0, 0]), length(image[0, 0, :, 0])
        short = torch.minimum(high, wide)
        square = short.clamp(max=self.side)
        x = image.permute(0, 3, 1, 2).float()
        for lines, sized in ((image[0, :, 0, 0], high), (image[0, 0, :, 0], wide)):  # rows first; then, transposed, columns
            x = (_lanczos(lines, sized, short, square, self.side).float() @ x).transpose(2, 3)
        x = (x + 0.5).floor().clamp(0, 255)
        return self.standardised(_resized(x, square, square, square, self.size))

    def standardised(self, x: Tensor) -> Tensor:
        """Grey levels 0 … 255 by the mean and deviation of the training part."""
        mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (self.mean, self.std))
        return (x / 255 - mean) * (1 / std)

    def made_up(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        shape = (3, self.size + 9, self.size + 14, self.channels)
        return (torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8),)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.with_side(WHOLE).read(one(position))  # type: ignore[attr-defined]  # of images
        if bad:
            raise ValueError(bad[position])
        pixels, grey = content.pixels.numpy()[0], self.channels == 1
        small = np.array(fit(Image.fromarray(pixels[:, :, 0] if grey else pixels), self.side))
        return (content.pixels,), stacked([small[:, :, None] if grey else small], self.channels)


class VideoFront(ImageFront):
    """uint8 frames -> the clip in the middle, its central square: n × channels × frames × side × side, standardised."""

    names = ("frames",)
    varying = ({0: "batch", 1: "moments", 2: "height", 3: "width"},)

    def __init__(self, views: VideoViews, facts: Mapping[str, Any]):
        super().__init__(views.image(), {"side": views.side})
        self.frames, self.every = views.frames, views.every
        self.said = (
            f"uint8, batch × moments × height × width × {self.channels}: videos of one length and size; of large ones frames "
            f"shrunk to a short side of about {-(-views.side * 8 // 7)} pixels",
        )

    def forward(self, frames: Tensor) -> Tensor:
        moments = length(frames[0, :, 0, 0, 0])
        start = ((moments - 1 - (self.frames - 1) * self.every).clamp(min=0) / 2).floor()
        shown = torch.remainder(start + torch.arange(self.frames, dtype=torch.float64) * self.every, moments).long()
        clip = frames.index_select(1, shown)
        image = clip.flatten(0, 1)
        high, wide = length(image[0, :, 0, 0]), length(image[0, 0, :, 0])
        x = _resized(image.permute(0, 3, 1, 2).float(), high, wide, torch.minimum(high, wide), self.size)
        return self.standardised(x).unflatten(0, (-1, self.frames)).transpose(1, 2)

    def made_up(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        shape = (3, self.frames * self.every + 3, self.size + 9, self.size + 14, self.channels)
        return (torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8),)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        places = torch.arange(int(content.lengths[0])).numpy()[None]
        decoded = content.frames(places, -(-self.size * 8 // 7))
        return (decoded.pixels[None],), content


def _lanczos(line: Tensor, sized: Tensor, short: Tensor, square: Tensor, side: int) -> Tensor:
    """The central `square` of `side` rows that an axis of `sized` pixels becomes, as weights: side × pixels; 0 beyond it.

    The axis is first cut to twice the short side, around its middle; `line` is any row of pixels along it.
    """
    kept = torch.minimum(sized, 2 * short)
    first = ((sized - kept) / 2).floor()
    shrunk = (kept * square / short).round().clamp(min=1)
    scale = kept / shrunk
    row = torch.arange(side, dtype=torch.float64)
    centre = (row + ((shrunk - square) / 2).round() + 0.5) * scale
    pixel = torch.ones_like(line, dtype=torch.float64).cumsum(0) - 1 - first
    away = (pixel + 0.5 - centre[:, None]) / scale
    near = (away.abs() < LOBES) & (pixel >= 0) & (pixel < kept) & (row < square)[:, None]
    weights = torch.where(near, _sinc(away) * _sinc(away / LOBES), 0.0)
    return weights / torch.where(row < square, weights.sum(1), 1.0)[:, None]


def _resized(x: Tensor, high: Tensor, wide: Tensor, square: Tensor, size: int) -> Tensor:
    """The central square of the first high × wide pixels of images n × c × h × w, by a triangle: n × c × size × size."""
    for sized in (high, wide):
        first = ((sized - square) / 2).round()
        scale = square / size
        support = scale.clamp(min=1)
        centre = (torch.arange(size, dtype=torch.float64) + 0.5) * scale
        pixel = torch.ones_like(x[0, 0, :, 0], dtype=torch.float64).cumsum(0) - 1 - first
        weights = (1 - (pixel + 0.5 - centre[:, None]).abs() / support).clamp(min=0)
        weights = torch.where((pixel >= 0) & (pixel < square), weights, 0.0)
        x = ((weights / weights.sum(1, keepdim=True)).float() @ x).transpose(2, 3)
    return x


def _sinc(x: Tensor) -> Tensor:
    turn = torch.where(x == 0, 1.0, x * torch.pi)
    return torch.where(x == 0, 1.0, turn.sin() / turn)
