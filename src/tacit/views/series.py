"""Time series seen once more: shaken, scaled, warped, permuted, cropped, without some frequencies (Um et al. 2017,
arXiv:1706.00527, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.series.samples import Series
from tacit.errors import TacitError, unknown
from tacit.numerics import counter
from tacit.views import changed, masks
from tacit.views.kinds import Masked, MultiCrop, Neighbours, Pair, Plain, Signal, Single, Values, View

LONGEST = 1024  # values of a view, beyond which neighbouring ones are averaged
PATCHES = 32  # at most, of a view
KNOTS = 6  # between which the speed of a warped series changes evenly
SCALINGS = ("channel", "series", "none")


@dataclass(frozen=True)
class SeriesViews:
    """The options of a view of time series, whose channels are standardised as `scaling` says.

    A view is channels × `span` values: series are laid at its beginning and keep their own lengths. Where values are missing
    or lengths unequal (`gaps`), one channel more says which share of the channels was measured at each moment, from 0 to 1;
    what was not is 0, the mean.
    """

    mean: tuple[float, ...]  # of each channel
    std: tuple[float, ...]
    span: int  # values of a view
    local_span: int  # of a small one
    gaps: int = 0  # 1: the last channel of a view says what was measured
    every: int = 1  # so many neighbouring values are averaged into one
    scaling: str = "channel"  # by each channel's mean and deviation over the training part; "series": by its own; "none"
    jitter: float = 0.1  # standard deviation of the noise on each value, in units of the channel's own
    magnitude: float = 0.2  # standard deviation of the factor of each channel, around 1
    warp: float = 0.2  # standard deviation of the logarithm of the speed at which a series passes
    permute: int = 1  # pieces of equal length that are put into a random order; 1: none
    crop: tuple[float, float] = (0.6, 1.0)  # range of the share of a series that is shown, stretched to its length
    local_crop: tuple[float, float] = (0.2, 0.5)  # the same for small views
    frequency_mask: float = 0.1  # share of the frequencies that are taken out
    mask_ratio: float = 0.5  # share of the patches that a masked view hides
    mask_patch: int = 1  # values of a patch

    name: ClassVar[str] = "series"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, MultiCrop, Masked, Neighbours, Values, Signal)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in ("span", "local_span"):
            if getattr(self, name) < 2:
                raise TacitError(f"{name} is {getattr(self, name)}; give a number of values, 2 or more.")
        for name in ("every", "permute", "mask_patch"):
            if getattr(self, name) < 1:
                raise TacitError(f"{name} is {getattr(self, name)}; give a whole number of 1 or more.")
        for name in ("jitter", "magnitude", "warp"):
            if getattr(self, name) < 0:
                raise TacitError(f"{name} is {getattr(self, name)}; give a strength of 0 or more.")
        for name in ("crop", "local_crop"):
            low, high = getattr(self, name)
            if not 0 < low <= high <= 1:
                raise TacitError(f"{name} is {low}, {high}; give two shares of a series, the smaller first.")
        if self.scaling not in SCALINGS:
            raise unknown("scaling", self.scaling, SCALINGS)
        if not 0 <= self.frequency_mask < 1 or not 0 < self.mask_ratio < 1:
            raise TacitError(
                f"frequency_mask is {self.frequency_mask}, mask_ratio {self.mask_ratio}; give shares, the second above 0."
            )
        if self.span % self.mask_patch:
            raise TacitError(f"A view of {self.span} values cannot be cut into patches of {self.mask_patch}; give a divisor.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "SeriesViews":
        """Options for series of which `facts` says the `longest`, `gaps`, and `mean` and `std` of each channel.

        The view is as long as the longest series, or as that averaged down to LONGEST values, filled up to whole patches.
        """
        every = int(overrides.get("every", ceil(int(facts["longest"]) / LONGEST)))
        span = int(overrides.get("span", max(ceil(int(facts["longest"]) / max(every, 1)), 2)))
        usual = masks.fitting_stretch(span) if "span" in overrides else max(ceil(span / PATCHES), 2)
        patch = int(overrides.get("mask_patch", usual))
        if "span" not in overrides:
            span = ceil(span / max(patch, 1)) * patch
        local = max(ceil(span / 2 / max(patch, 1)) * patch, 2)
        own: dict[str, Any] = {
            "span": span,
            "local_span": local,
            "gaps": int(facts["gaps"]),
            "every": every,
            "mask_patch": patch,
        }
        return cls(tuple(facts["mean"]), tuple(facts["std"]), **own).but(**overrides)

    def but(self, **how: Any) -> "SeriesViews":
        """The same options with some changed."""
        return changed(self, how)

    @property
    def shape(self) -> tuple[int, int]:
        """Of one view: channels, the one that tells gaps among them, and values."""
        return (len(self.mean) + self.gaps, self.span)

    def look(
        self, content: Series, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each series: float32, n × channels × span, on the content's device.

        index int64, n: whose randomness each series has; `how` changes options for this view. The parameters:

        box         float, n × 4: as of a picture, top and left, height and width of the crop, as shares of the view
        factor      float, n × channels: by which each was multiplied

        Role "plain" is the series itself, standardised, without parameters. Role "local" has `local_span` values of a
        `local_crop`. Role "masked" has two parameters more:

        mask        bool, n × patches: True where hidden, equally many of each
        keep        int64, n × patches not hidden: the others, in order
        """
        options = self.but(**how)
        x, lengths = options._standardised(content)
        span = options.local_span if role == "local" else options.span
        if role == "plain":
            return options._finished(_fitting(x, span)), {}
        if role not in ("global", "local", "masked"):
            raise unknown("role of a view", role, ("global", "local", "masked", "plain"))
        n, channels, device = len(x), x.shape[1], x.device
        few = torch.from_numpy(counter.uniform(counter.key(key, "few"), index, 2)).to(device)
        low, high = options.local_crop if role == "local" else options.crop
        share = low + (high - low) * few[:, 0]
        begin = (1 - share) * few[:, 1]
        shown = (lengths.clamp_max(options.span) * (span / options.span)).ceil().clamp(1, span)
        time = options._times(index, key, span, shown, begin, share)
        view = _sampled(x, time * (lengths - 1).clamp_min(0)[:, None])
        view = view.masked_fill((torch.arange(span, device=device) >= shown[:, None])[:, None], torch.nan)
        factor = 1 + options.magnitude * torch.from_numpy(counter.normal(counter.key(key, "magnitude"), index, channels)).to(
            device
        )
        noise = torch.from_numpy(counter.normal(counter.key(key, "jitter"), index, channels * span)).to(device)
        view = view * factor[:, :, None] + options.jitter * noise.view(n, channels, span)
        if options.frequency_mask:
            view = options._without_frequencies(view, index, key)
        whole = torch.ones_like(share)
        fill = shown / span  # of the view, that the series takes
        drawn = {"box": torch.stack([0 * whole, begin * fill, whole, share * fill], 1), "factor": factor}
        if role == "masked":
            patches = span // options.mask_patch
            if patches < 2:
                raise TacitError(
                    f"A view of {span} values is one patch of {options.mask_patch}, and a part of the patches is to be hidden; "
                    f"give a --span with more divisors, such as {-(-span // 8) * 8}, or a smaller --mask-patch."
                )
            hidden = min(max(round(options.mask_ratio * patches), 1), patches - 1)
            luck = torch.from_numpy(counter.uniform(counter.key(key, "mask"), index, patches))
            mask = masks.scattered(luck, hidden)
            keep = mask.byte().argsort(dim=1, stable=True)[:, : patches - hidden]
            drawn |= {"mask": mask.to(device), "keep": keep.to(device)}
        return options._finished(view), drawn

    def raw(self, view: Tensor) -> Tensor:
        """What raw input means for series: the standardised values themselves; n × (channels · span)."""
        return view[:, : len(self.mean)].float().flatten(1)

    def _standardised(self, content: Series) -> tuple[Tensor, Tensor]:
        """Values n × channels × t with NaN where there are none, behind the ends too; and lengths, float."""
        values, lengths = content
        if values.shape[1] != len(self.mean):
            raise TacitError(f"Series of {values.shape[1]} channels came where {len(self.mean)} were expected.")
        device = values.device
        behind = torch.arange(values.shape[2], device=device) >= lengths[:, None]
        x = values.masked_fill(behind[:, None], torch.nan)
        if self.scaling == "channel":
            mean, std = (torch.tensor(numbers, device=device)[None, :, None] for numbers in (self.mean, self.std))
            x = (x - mean) / torch.where(std > 0, std, 1)
        elif self.scaling == "series":
            x = x - x.nanmean(2, keepdim=True).nan_to_num(0)
            std = x.square().nanmean(2, keepdim=True).nan_to_num(0).sqrt()
            x = x / torch.where(std > 1e-6, std, 1)
        if self.every > 1:
            short = -x.shape[2] % self.every
            x = torch.nn.functional.pad(x, (0, short), value=torch.nan).unflatten(2, (-1, self.every)).nanmean(3)
            lengths = (lengths + self.every - 1) // self.every
        return x, lengths.to(x.dtype)

    def _times(self, index: np.ndarray, key: int, span: int, shown: Tensor, begin: Tensor, share: Tensor) -> Tensor:
        """From where in its series each value of a view comes, as a share: n × span, within [0, 1]."""
        device = shown.device
        time = (torch.arange(span, device=device) / (shown - 1).clamp_min(1)[:, None]).clamp_max(1)
        if self.warp:
            draws = torch.from_numpy(counter.normal(counter.key(key, "warp"), index, KNOTS + 1)).to(device)
            speed = (self.warp * draws).exp()
            passed = torch.cat([torch.zeros_like(speed[:, :1]), (speed[:, 1:] + speed[:, :-1]).cumsum(1) / 2], 1)
            place = (time * KNOTS).clamp_max(KNOTS - 1e-4)
            knot = place.long()
            rest = place - knot
            first, second = speed.gather(1, knot), speed.gather(1, knot + 1)
            time = (passed.gather(1, knot) + rest * first + rest.square() / 2 * (second - first)) / passed[:, -1:]
        if self.permute > 1:
            draws = torch.from_numpy(counter.uniform(counter.key(key, "permute"), index, self.permute)).to(device)
            place = (time * self.permute).clamp_max(self.permute - 1e-4)
            time = (draws.argsort(1).gather(1, place.long()) + place.frac()) / self.permute
        return begin[:, None] + share[:, None] * time.clamp(0, 1)

    def _without_frequencies(self, view: Tensor, index: np.ndarray, key: int) -> Tensor:
        """Without some frequencies, above the lowest; what is missing stays so."""
        spectrum = torch.fft.rfft(view.nan_to_num(0), dim=2)
        luck = torch.from_numpy(counter.uniform(counter.key(key, "frequency"), index, spectrum.shape[2])).to(view.device)
        gone = (luck < self.frequency_mask) & (torch.arange(spectrum.shape[2], device=view.device) > 0)
        kept = torch.fft.irfft(spectrum.masked_fill(gone[:, None], 0), n=view.shape[2], dim=2)
        return kept.masked_fill(view.isnan(), torch.nan)

    def _finished(self, view: Tensor) -> Tensor:
        """Zeros in the place of what is missing, and where there are gaps what was measured as one channel more."""
        missing = view.isnan()
        whole = view.masked_fill(missing, 0).float()
        return torch.cat([whole, (~missing).float().mean(1, keepdim=True)], 1) if self.gaps else whole


def _fitting(x: Tensor, span: int) -> Tensor:
    """The first `span` values, filled up with NaN."""
    return torch.nn.functional.pad(x[:, :, :span], (0, max(span - x.shape[2], 0)), value=torch.nan)


def _sampled(x: Tensor, place: Tensor) -> Tensor:
    """n × channels × t at places n × s between its values, evenly between neighbours; NaN where a neighbour is missing."""
    left = place.floor().long().clamp(0, x.shape[2] - 1)
    right = (left + 1).clamp_max(x.shape[2] - 1)
    rest = (place - left)[:, None]
    first, second = (x.gather(2, at[:, None].expand(-1, x.shape[1], -1)) for at in (left, right))
    between = torch.where(rest > 1 - 1e-3, second, first + rest * (second - first))
    return torch.where(rest < 1e-3, first, between)  # at a value itself its neighbour, which may be missing, plays no part
