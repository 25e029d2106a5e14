"""Images seen once more: a random piece, mirrored, recoloured, blurred (SimCLR, arXiv:2002.05709, appendix A).

Equal in distribution to torchvision's RandomResizedCrop, RandomHorizontalFlip, ColorJitter, RandomGrayscale, GaussianBlur
and RandomSolarize on float images, in that order, for whole batches at once (`pixels.py`; on a core `compiled.py`) and with
randomness by counter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.samples import Images
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.views import changed, compiled, masks, pixels
from tacit.views.kinds import Masked, MultiCrop, Neighbours, Pair, Plain, Raster, Single, Values, View

# Which column of a sample's uniform draws decides what.
_BOX = slice(0, 22)
_FLIP, _JITTER, _ORDER, _BRIGHTNESS, _CONTRAST, _SATURATION, _HUE, _GREY, _BLUR, _SIGMA, _SOLARISE = range(22, 33)
_COLUMNS = 33

_ORDERS = torch.tensor(list(permutations((pixels.BRIGHTNESS, pixels.CONTRAST, pixels.SATURATION, pixels.HUE))))


@dataclass(frozen=True)
class ImageViews:
    """The options of a view of images; the defaults are SimCLR's on ImageNet, `fit` chooses them for the data."""

    size: int  # side of a view in pixels
    mean: tuple[float, ...]  # of each channel, in [0, 1]; views are standardised by it
    std: tuple[float, ...]
    crop: tuple[float, float] = (0.08, 1.0)  # range of the share of the image's area that a view shows
    ratio: tuple[float, float] = (3 / 4, 4 / 3)  # range of a crop's width to its height
    within: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)  # top, left, bottom, right: the part that is cropped from
    flip: float = 0.5  # probability of mirroring left and right
    jitter: float = 0.8  # probability of changing brightness, contrast, saturation and hue
    brightness: float = 0.8  # the factor lies in 1 ± this, above 0
    contrast: float = 0.8
    saturation: float = 0.8
    hue: float = 0.2  # the turn lies in ± this, of a full turn; at most 0.5
    grey: float = 0.2  # probability of losing all colour
    blur: float = 0.5  # probability of a Gaussian blur
    blur_sigma: tuple[float, float] = (0.1, 2.0)  # range of its standard deviation in pixels
    solarise: float = 0.0  # probability of inverting what is brighter than a half
    local_size: int = 96  # side of a small view (MultiCrop)
    local_crop: tuple[float, float] = (0.05, 0.14)  # range of the share of the area that a small view shows (SwAV)
    mask_ratio: float = 0.75  # share of the patches that are hidden (Masked)
    mask_patch: int = 0  # side of a patch in pixels; 0: the encoder's, or where it has none what cuts the view into about 8 × 8
    mask_block: tuple[float, float] = (0.0, 0.0)  # range of the share of the area that a hidden block has; 0, 0: single patches

    name: ClassVar[str] = "image"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, MultiCrop, Masked, Neighbours, Values, Raster)

    def __post_init__(self) -> None:
        for name in ("size", "local_size"):
            if getattr(self, name) < 2:
                raise TacitError(f"{name} is {getattr(self, name)}; a view needs a side of at least 2 pixels.")
        if self.mask_patch < 0 or not 0 <= self.mask_block[0] <= self.mask_block[1] <= 1:
            raise TacitError(
                f"mask_patch is {self.mask_patch} and mask_block {self.mask_block}; give a side in pixels and two shares of "
                "the area, the smaller first, or 0 for what is chosen by itself."
            )
        top, left, bottom, right = self.within
        if not 0 <= top < bottom <= 1 or not 0 <= left < right <= 1:
            raise TacitError(f"within is {self.within}; give top, left, bottom and right as shares of the image, from 0 to 1.")
        for name in ("flip", "jitter", "grey", "blur", "solarise", "mask_ratio"):
            if not 0 <= getattr(self, name) <= 1:
                raise TacitError(f"{name} is {getattr(self, name)}; give a probability, from 0 to 1.")
        for name in ("brightness", "contrast", "saturation"):
            if getattr(self, name) < 0:
                raise TacitError(f"{name} is {getattr(self, name)}; give a strength of 0 or more.")
        if not 0 <= self.hue <= 0.5:
            raise TacitError(f"hue is {self.hue}; give a strength from 0 to 0.5, of a full turn.")
        for name, highest in (("crop", 1.0), ("local_crop", 1.0), ("ratio", math.inf), ("blur_sigma", math.inf)):
            low, high = getattr(self, name)
            if not 0 < low <= high <= highest:
                raise TacitError(f"{name} is {low}, {high}; give two numbers above 0, the smaller first, up to {highest}.")
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean) or min(self.std) <= 0:
            raise TacitError(f"mean is {self.mean} and std {self.std}; give one number or three of each, std above 0.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "ImageViews":
        """Options for images of which `facts` says the training `size`, `mean` and `std` of each channel.

        Up to 64 pixels: half SimCLR's strength of colour, crops from a fifth of the area and no blur, as its authors do on
        CIFAR-10 (appendix B.9) but for the crops. One channel has no colour to change.
        """
        size = int(overrides.get("size", facts["size"]))
        chosen: dict[str, Any] = {"size": size, "mean": tuple(facts["mean"]), "std": tuple(facts["std"])}
        chosen["local_size"] = min(size, max(8, 8 * round(size * 3 / 7 / 8)))  # 96 of 224 (SwAV), in steps that patches divide
        if size <= 64:
            chosen |= {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1, "blur": 0.0}
            chosen |= {"crop": (0.2, 1.0), "local_crop": (0.1, 0.3)}
        if len(chosen["mean"]) == 1:
            chosen |= {"saturation": 0.0, "hue": 0.0, "grey": 0.0}
        return cls(**chosen).but(**overrides)

    def but(self, **how: Any) -> "ImageViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def unsuited(self) -> tuple[str, ...]:
        """What a method's own wishes do not change: blur and strengths of colour on small images, any colour on grey ones."""
        small = ("blur", "blur_sigma", "brightness", "contrast", "saturation", "hue") if self.size <= 64 else ()
        return (*small, *(("saturation", "hue", "grey") if len(self.mean) == 1 else ()))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one view: channels, height, width."""
        return (len(self.mean), self.size, self.size)

    def look(
        self, content: Images, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each image, and what was drawn for it.

        content on any device; index int64, n: whose randomness each image has; `how` changes options for this view.
        Gives float32, n × channels × size × size, standardised, on the content's device, and the parameters, each n × …:

        box         float, n × 4: top, left, height, width as shares of the true image
        flip, grey, solarise    bool, n
        order       int64, n × 4: in which brightness (0), contrast (1), saturation (2) and hue (3) came
        factors     float, n × 4: of brightness, contrast, saturation (1: unchanged) and hue (0: unchanged)
        sigma       float, n: of the blur in pixels; 0: none

        Role "plain" is the largest central square and nothing random; its only parameter is its box. Role "local" is a
        small view of `local_size` from `local_crop`. Role "masked" is a global one, itself whole, with two
        parameters more; t is the number of its patches, row by row:

        mask        bool, n × t: True where hidden, which are round(mask_ratio · t) of every view
        keep        int64, n × (t − hidden): where those lie that are not, in their order
        """
        options = self.but(**how)
        if content.pixels.shape[3] != len(self.mean):
            raise TacitError(f"Images of {content.pixels.shape[3]} channels came where {len(self.mean)} were expected.")
        if role == "plain":
            box = pixels.central_box(content.sizes.long())
            return options._render(content, box, options.size, {}), {"box": _shares(box, content.sizes)}
        if role not in ("global", "local", "masked"):
            raise unknown("role of a view", role, ("global", "local", "masked", "plain"))
        size, area = (options.local_size, options.local_crop) if role == "local" else (options.size, options.crop)
        draws = torch.from_numpy(counter.uniform(key, index, _COLUMNS))
        device = content.pixels.device
        corner, part = pixels.part_of(content.sizes, options.within)
        box = pixels.random_box(part, _sent(draws[:, _BOX], device), area, options.ratio)
        box[:, :2] += corner
        drawn = options._draw(draws)
        view = options._render(content, box, size, drawn)
        if role == "masked":
            drawn |= options._mask(index, key)
        return view, {"box": _shares(box, content.sizes), **{name: _sent(value, device) for name, value in drawn.items()}}

    def _mask(self, index: np.ndarray, key: int) -> dict[str, Tensor]:
        """Which patches of each view are hidden, and where the others lie; drawn where the host can see them."""
        grid = masks.grid_of(self.size, self.mask_patch or masks.fitting_patch(self.size, self.size))
        hidden = round(self.mask_ratio * grid**2)
        if not 0 < hidden < grid**2:
            raise TacitError(
                f"A mask_ratio of {self.mask_ratio} hides {hidden} of {grid**2} patches; give one that hides some, not all."
            )
        by_blocks = self.mask_block[1] > 0
        columns = grid**2 + (4 * masks.ATTEMPTS if by_blocks else 0)
        draws = torch.from_numpy(counter.uniform(counter.key(key, "mask"), index, columns))
        mask = masks.blocks(draws, grid, hidden, self.mask_block) if by_blocks else masks.scattered(draws, hidden)
        return {"mask": mask, "keep": mask.byte().argsort(dim=1, stable=True)[:, : grid**2 - hidden]}

    def _draw(self, draws: Tensor) -> dict[str, Tensor]:
        """The parameters of everything but the crop, drawn where the host can see them."""
        strengths = torch.tensor((self.brightness, self.contrast, self.saturation, self.hue))
        low = torch.tensor((1.0, 1.0, 1.0, 0.0)) - strengths
        low[:3].clamp_min_(0)
        high = torch.tensor((1.0, 1.0, 1.0, 0.0)) + strengths
        factors = low + (high - low) * draws[:, _BRIGHTNESS : _HUE + 1]
        factors[draws[:, _JITTER] >= self.jitter] = torch.tensor((1.0, 1.0, 1.0, 0.0))
        sigma = self.blur_sigma[0] + (self.blur_sigma[1] - self.blur_sigma[0]) * draws[:, _SIGMA]
        return {
            "flip": draws[:, _FLIP] < self.flip,
            "order": _ORDERS[(draws[:, _ORDER] * len(_ORDERS)).long()],
            "factors": factors,
            "grey": draws[:, _GREY] < self.grey,
            "sigma": sigma * (draws[:, _BLUR] < self.blur),
            "solarise": draws[:, _SOLARISE] < self.solarise,
        }

    def _render(self, content: Images, box: Tensor, size: int, drawn: Mapping[str, Tensor]) -> Tensor:
        """The views for given parameters ({}: only cropped), standardised."""
        kernel = max(3, int(0.1 * size) // 2 * 2 + 1)  # of a blur: a tenth of the side, odd (SimCLR)
        mean, std = torch.tensor(self.mean), torch.tensor(self.std)
        device = content.pixels.device
        if device.type == "cpu":
            return compiled.views(content.pixels, box, drawn, size, kernel, mean, std)
        flip = _sent(drawn["flip"], device) if drawn else torch.zeros_like(box[:, 0], dtype=torch.bool)
        x = pixels.resized_crop(content.pixels, box, flip, size)
        if drawn:
            x = _recoloured(x, drawn, kernel)
        return x.sub_(_sent(mean, device).view(-1, 1, 1)).mul_(_sent(1 / std, device).view(-1, 1, 1))


def _recoloured(x: Tensor, drawn: Mapping[str, Tensor], kernel: int) -> Tensor:
    """Jitter, grey, blur and solarise, the last two on those images alone that want them."""
    grey = drawn["grey"][:, None]
    order = torch.cat((drawn["order"], torch.full_like(drawn["order"][:, :1], pixels.FADE)), 1)
    factors = torch.cat((drawn["factors"], 1 - grey.float()), 1)
    x = pixels.recolour(x, _sent(order, x.device), _sent(factors, x.device))
    blurred = drawn["sigma"].nonzero()[:, 0]
    if len(blurred):
        sigma, blurred = _sent(drawn["sigma"][blurred], x.device), _sent(blurred, x.device)
        x[blurred] = pixels.gaussian_blur(x[blurred], sigma, kernel)
    solarised = _sent(drawn["solarise"].nonzero()[:, 0], x.device)
    if len(solarised):
        x[solarised] = pixels.solarize(x[solarised])
    return x


def _sent(x: Tensor, device: torch.device) -> Tensor:
    """What the host has drawn, on the device, for which it does not wait."""
    return x.to(device, non_blocking=True)


def _shares(box: Tensor, sizes: Tensor) -> Tensor:
    return box.float() / sizes.float().repeat(1, 2)
