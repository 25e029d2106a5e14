"""Sounds and time series in."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.exporting.front import Front, length, one
from tacit.views.audio import AudioViews
from tacit.views.series import SeriesViews


class SoundFront(Front):
    """Waves of any length -> the middle of each, begun again at its end where it is short: n × samples."""

    names = ("waveform",)
    varying = ({0: "batch", 1: "samples"},)

    def __init__(self, views: AudioViews, facts: Mapping[str, Any]):
        super().__init__()
        self.size = views.samples(views.plain_seconds)
        self.said = (f"float32, batch × samples: mono sounds of one length within ±1, {views.sample_rate} samples a second",)

    def forward(self, waveform: Tensor) -> Tensor:
        samples = length(waveform[0])
        start = ((samples - self.size).clamp(min=0) / 2).floor()
        shown = torch.remainder(start + torch.arange(self.size, dtype=torch.float64), samples).long()
        return waveform.index_select(1, shown)

    def made_up(self) -> tuple[Tensor, ...]:
        return (torch.randn(3, self.size + 77, generator=torch.Generator().manual_seed(0)) * 0.1,)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        return (content.floats()[:, : int(content.lengths[0])],), content


class SeriesFront(Front):
    """Series of any length -> n × channels × span, standardised as the run does, with the channel that tells gaps."""

    names = ("series",)
    varying = ({0: "batch", 2: "moments"},)

    def __init__(self, views: SeriesViews, facts: Mapping[str, Any]):
        super().__init__()
        self.views = views
        self.said = (f"float32, batch × {len(views.mean)} × moments: series as they were measured, NaN where nothing was",)

    def forward(self, series: Tensor) -> Tensor:
        views, x = self.views, series
        if views.scaling == "channel":
            mean, std = (torch.tensor(numbers)[None, :, None] for numbers in (views.mean, views.std))
            x = (x - mean) / torch.where(std > 0, std, 1.0)
        if views.scaling == "series":
            x = x - _mean(x, 2).nan_to_num(0)
            std = _mean(x.square(), 2).nan_to_num(0).sqrt()
            x = x / torch.where(std > 1e-6, std, 1.0)
        moments, place = length(series[0, 0]), torch.arange(views.span * views.every, dtype=torch.float64)
        x = x.index_select(2, torch.minimum(place, moments - 1).long())
        x = torch.where(place < moments, x, torch.nan)  # behind the end
        if views.every > 1:
            x = _mean(x.unflatten(2, (views.span, views.every)), 3)[..., 0]
        missing = x.isnan()
        whole = torch.where(missing, 0.0, x)
        return torch.cat([whole, (~missing).float().mean(1, keepdim=True)], 1) if views.gaps else whole

    def made_up(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(3, len(self.views.mean), self.views.span * self.views.every + 5, generator=generator)
        mean, std = (torch.tensor(numbers)[None, :, None] for numbers in (self.views.mean, self.views.std))
        return (x * std + mean,)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        return (content.values[:, :, : int(content.lengths[0])],), content


def _mean(x: Tensor, axis: int) -> Tensor:
    """The mean of what is no NaN, the axis kept; NaN where nothing is."""
    there = ~x.isnan()
    return torch.where(there, x, 0.0).sum(axis, keepdim=True) / there.float().sum(axis, keepdim=True)
