"""What is done to images, as batched programs: every sample with parameters of its own, no loop over samples in Python.

They run on any device; on the CPU `compiled.py` does the same faster, and these are what it is tested against.

Images are float32, n × channels × height × width, in [0, 1]. Each function equals, image by image, the function of
torchvision.transforms.v2.functional that its docstring names (tests/views/test_pixels.py compares them).
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

GREY = (0.2989, 0.587, 0.114)  # luminance of red, green and blue: ITU-R 601, rounded as torchvision does
BRIGHTNESS, CONTRAST, SATURATION, HUE, FADE = range(5)  # what `recolour` can do; to fade is to saturate once more


def part_of(sizes: Tensor, within: tuple[float, float, float, float]) -> tuple[Tensor, Tensor]:
    """Where a part of each image begins and how large it is, both n × 2, in pixels, one at least.

    sizes n × 2, true height and width; within top, left, bottom and right as shares of them.
    """
    low, high = (torch.tensor(shares).to(sizes.device, non_blocking=True) for shares in (within[:2], within[2:]))
    corner = (sizes * low).round().to(sizes.dtype).minimum(sizes - 1)
    return corner, ((sizes * high).round().to(sizes.dtype) - corner).clamp_min(1)


def random_box(sizes: Tensor, draws: Tensor, area: tuple[float, float], ratio: tuple[float, float]) -> Tensor:
    """The boxes of `RandomResizedCrop`: up to ten tries of a random area and shape, then the largest central box.

    sizes n × 2, true height and width; draws uniform, n × 22: ten for areas, ten for shapes, two for the place;
    area range of the box's share of the image; ratio range of width to height, uniform in its logarithm.
    Gives int64, n × 4: top, left, height, width in pixels.
    """
    high, wide = sizes.float().unbind(1)
    target = (high * wide)[:, None] * (area[0] + (area[1] - area[0]) * draws[:, :10])
    shape = torch.exp(math.log(ratio[0]) + math.log(ratio[1] / ratio[0]) * draws[:, 10:20])
    widths, heights = (target * shape).sqrt().round(), (target / shape).sqrt().round()
    fits = (widths > 0) & (widths <= wide[:, None]) & (heights > 0) & (heights <= high[:, None])
    first = (fits * torch.arange(10, 0, -1, device=fits.device)).argmax(1, keepdim=True)
    found = fits.any(1)
    height = torch.where(found, heights.gather(1, first)[:, 0], torch.minimum(high, (wide / ratio[0]).round()))
    width = torch.where(found, widths.gather(1, first)[:, 0], torch.minimum(wide, (high * ratio[1]).round()))
    top = torch.where(found, draws[:, 20] * (high - height + 1), (high - height) / 2).floor()
    left = torch.where(found, draws[:, 21] * (wide - width + 1), (wide - width) / 2).floor()
    top, left = top.minimum(high - height), left.minimum(wide - width)  # a draw next to 1 may round up
    return torch.stack((top, left, height, width), 1).long()


def central_box(sizes: Tensor) -> Tensor:
    """The largest central square: int64, n × 4, as `center_crop` places it."""
    side = sizes.amin(1, keepdim=True).expand(-1, 2)
    return torch.cat((((sizes - side) / 2).round().long(), side), 1)


def resized_crop(pixels: Tensor, box: Tensor, flip: Tensor, size: int) -> Tensor:
    """Cut a box out of each image, resize it with antialiased bilinear interpolation, mirror it where told.

    pixels uint8, n × h × w × c; box int64, n × 4: top, left, height and width in pixels, inside the image; flip bool, n.
    Gives n × c × size × size, as `resized_crop(antialias=True)` and `horizontal_flip` do on float images.

    The filter is separable, and a row of the result is a weighted sum of a few rows of the image: that is what
    `embedding_bag` computes without ever holding the gathered rows. Down the rows first, then along the columns.
    """
    n, h, w, c = pixels.shape
    top, left, height, width = box.unbind(1)
    image = torch.arange(n, device=pixels.device)[:, None, None]
    rows, weights = _triangle(top, height, size, h)
    x = _weighted(pixels.reshape(n * h, w * c).float(), image * h + rows, weights / 255)
    columns, weights = _triangle(left, width, size, w)
    mirrored = flip[:, None, None]
    columns, weights = (torch.where(mirrored, t.flip(1), t) for t in (columns, weights))
    x = x.view(n, size, w, c).permute(0, 2, 3, 1).reshape(n * w, c * size)
    x = _weighted(x, image * w + columns, weights)
    return x.view(n, size, c, size).permute(0, 2, 3, 1).contiguous()


def recolour(x: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """Brightness, contrast, saturation and hue in each sample's own order, clamped after each.

    order int64, n × turns: the operation of each turn; factors n × 5: of each operation, 1 (of the hue: 0) to leave it.
    As `adjust_brightness`, `adjust_contrast`, `adjust_saturation` and `adjust_hue` on float images; FADE is a second
    saturation, which with factor 0 is `rgb_to_grayscale`. On images of one channel only the first two do anything.

    All but the hue are one operation, x ← f x + (1 − f) r, and differ in r: black, the mean luminance, the pixel's own.
    """
    colour = x.shape[1] == 3
    for turn in range(order.shape[1]):
        operation = order[:, turn, None]
        f, operation = factors.gather(1, operation)[:, :, None, None], operation[:, :, None, None]
        own = luminance(x) if colour else x
        r = torch.where(operation == CONTRAST, own.mean((1, 2, 3), keepdim=True), own)
        r = torch.where(operation == BRIGHTNESS, 0, r)
        blended = (f * x + (1 - f) * r).clamp_(0, 1)
        if not colour:
            x = torch.where(operation <= CONTRAST, blended, x)
        else:
            x = torch.where(operation == HUE, turned_hue(x, f), blended)
    return x


def luminance(x: Tensor) -> Tensor:
    """n × 3 × h × w to n × 1 × h × w, as `rgb_to_grayscale`."""
    red, green, blue = x.split(1, 1)
    return (red * GREY[0]).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2])


def turned_hue(x: Tensor, f: Tensor) -> Tensor:
    """The hue turned by f (of a full turn; broadcasts against n × 1 × h × w), as `adjust_hue`.

    Hue is a place on a ring of six sides, chroma the range of the channels: a channel is the smallest one plus the
    chroma times a trapezoid of the distance to its own place on the ring, so no case distinction on the way back.
    """
    red, green, blue = x.split(1, 1)
    high, low = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    chroma = high - low
    scale = 1 / chroma.clamp_min(1e-12)
    h = torch.where(green == high, (blue - red) * scale + 2, (red - green) * scale + 4)
    h = torch.where(red == high, (green - blue) * scale, h) + 6 * f
    h = h - 6 * torch.floor(h * (1 / 6))
    parts = ((h - 3).abs() - 1, 2 - (h - 2).abs(), 2 - (h - 4).abs())
    return torch.cat([low + chroma * part.clamp(0, 1) for part in parts], 1)


def gaussian_blur(x: Tensor, sigma: Tensor, kernel: int) -> Tensor:
    """Each image blurred with its own standard deviation in pixels (n, above 0), as `gaussian_blur`; kernel odd, in pixels."""
    n, c, h, w = x.shape
    offsets = torch.arange(kernel, device=x.device) - kernel // 2
    # torchvision spans the kernel as ±(k − 1) / (2 √2) in units of σ √2: whole pixels
    weights = torch.softmax(-0.5 * (offsets / sigma[:, None]) ** 2, 1)

    def down(x: Tensor, size: int) -> Tensor:  # n × c × size × m
        place = torch.arange(size, device=x.device)[:, None] + offsets
        place = (size - 1) - ((size - 1) - place.abs()).abs()  # reflected at both ends
        first = torch.arange(n * c, device=x.device)[:, None, None] * size
        shared = weights.repeat_interleave(c, 0)[:, None].expand(-1, size, -1)
        return _weighted(x.reshape(n * c * size, -1), first + place, shared).view(x.shape)

    return down(down(x, h).mT.contiguous(), w).mT.contiguous()


def solarize(x: Tensor) -> Tensor:
    """What is brighter than a half inverted, as `solarize(threshold=0.5)`."""
    return torch.where(x >= 0.5, 1 - x, x)


def _triangle(start: Tensor, length: Tensor, size: int, limit: int) -> tuple[Tensor, Tensor]:
    """Where `size` pixels over [start, start + length) look, and how much they weigh: two n × size × taps.

    A triangle as wide as a target pixel, but at least as a source pixel; cut at the box, not at the image. `limit` is
    the longest possible box: the number of taps depends on it alone, so that no device has to be asked.
    """
    taps = math.ceil(2 * max(1.0, limit / size))
    scale = (length / size)[:, None]
    centre = (torch.arange(size, device=start.device) + 0.5) * scale
    support = scale.clamp_min(1)
    place = (centre - support + 0.5).floor_().clamp_min_(0)[:, :, None] + torch.arange(taps, device=start.device)
    weights = (1 - (place + 0.5 - centre[:, :, None]).abs_() / support[:, :, None]).clamp_min_(0)
    length = length[:, None, None]
    weights = torch.where(place < length, weights, 0)
    return place.long().minimum(length - 1) + start[:, None, None], weights / weights.sum(2, keepdim=True)


def _weighted(rows: Tensor, which: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of rows: `which` and `weights` are … × taps."""
    return embedding_bag(which.flatten(0, -2), rows, mode="sum", per_sample_weights=weights.flatten(0, -2))
