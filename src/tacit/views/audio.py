"""Sounds heard once more: a stretch of one, faster or slower, louder, in noise, with gaps in time and frequency.

A view is a wave, so that it serves encoders of waves and of spectrograms alike; what is masked in time is silent, what is
masked in frequency is filtered out (Kharitonov et al. 2020, arXiv:2007.00991, section 3; the masks are SpecAugment's,
arXiv:1904.08779).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.sounds.samples import Sounds
from tacit.errors import TacitError, shares, unknown
from tacit.numerics import counter
from tacit.numerics.mel import HOP, hop_of, log_mel
from tacit.views import changed
from tacit.views.kinds import MultiCrop, Neighbours, Pair, Plain, Single, View

STRETCH, HEARD = 2.0, 10.0  # seconds of a random and of a plain view, at most, unless the user says otherwise
SHARE = 0.75  # of the median sound, that a random view lasts
FEWEST = 8  # frames of a spectrogram that a view has at least
# Which column of a sample's uniform draws decides what.
_SPEED, _START, _GAIN, _NOISE, _SNR, _MIX, _MIX_SNR, _OTHER, _OTHER_START, _GAP, _GAP_START, _BAND, _BAND_START = range(13)


@dataclass(frozen=True)
class AudioViews:
    """The options of a view of sounds. A sound that is shorter than a view begins again where it ends."""

    sample_rate: int  # samples a second
    mean: float  # of log-mel values, and their standard deviation: by these raw input is standardised
    std: float
    seconds: float  # of a view
    local_seconds: float  # of a small one
    plain_seconds: float  # of a plain one, which shows the middle of what is longer
    speed: tuple[float, float] = (0.9, 1.1)  # range of the factor by which a sound is played faster, and so higher
    gain: float = 6.0  # decibels by which it is louder or softer, at most
    noise: float = 0.5  # probability that white noise is added
    mix: float = 0.5  # probability that another sound of the source is heard behind it
    snr: tuple[float, float] = (10.0, 40.0)  # range of how far noise, and what is mixed in, lie below it, in decibels
    mask_time: float = 0.2  # share of the view that is silenced in one piece, at most
    mask_band: float = 0.2  # share of the frequencies, in mel, that is filtered out in one piece, at most

    name: ClassVar[str] = "audio"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, MultiCrop, Neighbours)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in ("seconds", "local_seconds", "plain_seconds"):
            if not FEWEST * HOP <= getattr(self, name) <= 60:
                raise TacitError(f"{name} is {getattr(self, name)}; give {FEWEST * HOP} to 60 seconds.")
        shares(noise=self.noise, mix=self.mix, mask_time=self.mask_time, mask_band=self.mask_band)
        if not 0 <= self.gain <= 60:
            raise TacitError(f"gain is {self.gain}; give decibels, from 0 to 60.")
        if not 0.25 <= self.speed[0] <= self.speed[1] <= 4:
            raise TacitError(f"speed is {self.speed}; give two factors from 0.25 to 4, the smaller first.")
        if not -20 <= self.snr[0] <= self.snr[1] <= 120:
            raise TacitError(f"snr is {self.snr}; give two numbers of decibels from -20 to 120, the smaller first.")

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "AudioViews":
        """Options for sounds of which `facts` says `rate`, `seconds` (median, and 95th percentile), `mean`, `std`."""
        rate, (median, longest) = int(facts["rate"]), facts["seconds"]
        if overrides.get("sample_rate", rate) != rate:
            raise TacitError(
                f"sample_rate is {overrides['sample_rate']} and the sounds are read at {rate} samples a second; "
                "leave it out, or in Python give tacit.open(…).at_rate(…)."
            )
        seconds = overrides.get("seconds", max(round(min(SHARE * median, STRETCH), 2), FEWEST * HOP))
        if not isinstance(seconds, int | float):
            raise TacitError(f"seconds is {seconds!r}; give a number such as {STRETCH}.")
        chosen: dict[str, Any] = {"seconds": seconds, "local_seconds": max(round(seconds / 2, 2), FEWEST * HOP)}
        chosen["plain_seconds"] = max(round(min(longest, HEARD), 2), seconds)
        return cls(rate, float(facts.get("mean", 0.0)), float(facts.get("std", 1.0)), **chosen).but(**overrides)

    def but(self, **how: Any) -> "AudioViews":
        """The same options with some changed."""
        return changed(self, how)

    def samples(self, seconds: float) -> int:
        """So many seconds in samples, of whole frames of a spectrogram."""
        return max(round(seconds / HOP), FEWEST) * hop_of(self.sample_rate)

    @property
    def shape(self) -> tuple[int]:
        """Of one view: samples."""
        return (self.samples(self.seconds),)

    def look(
        self, content: Sounds, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each sound, and what was drawn for it.

        content on any device; index int64, n: whose randomness each sound has; `how` changes options for this view. Gives
        float32, n × samples, on the content's device. The parameters, each float32, n:

        start       seconds into the sound at which the view begins
        speed       factor
        gain        decibels
        snr         of the noise, in decibels; infinite where there is none

        Role "plain" is the middle `plain_seconds` as they are, without parameters; role "local" has `local_seconds`.
        """
        options = self.but(**how)
        waves, lengths, device = content.floats(), content.lengths, content.waves.device
        if role == "plain":
            size = options.samples(options.plain_seconds)
            start = (lengths - size).clamp_min(0) // 2
            return _played(waves, lengths, start.double(), None, size), {}
        if role not in ("global", "local"):
            raise unknown("role of a view", role, ("global", "local", "plain"))
        size = options.samples(options.local_seconds if role == "local" else options.seconds)
        draws = torch.from_numpy(counter.uniform(counter.key(key, "few"), index, 13)).to(device)
        low, high = options.speed
        speed = None if low == high == 1 else low * (high / low) ** draws[:, _SPEED].double()
        spare = lengths - size * (1.0 if speed is None else speed)
        start = (draws[:, _START].double() * torch.where(spare > 0, spare, lengths.double())).floor()
        view = _played(waves, lengths, start, speed, size)
        loud = view.square().mean(1, keepdim=True).sqrt()
        if options.mask_time:
            view = view * _outside(draws[:, _GAP] * options.mask_time, draws[:, _GAP_START], size)
        if options.mix and content.others.numel() > 1:
            behind = _drawn_from(content.others, draws[:, _OTHER], draws[:, _OTHER_START], size)
            view = view + behind * _level(options, draws[:, _MIX], options.mix, draws[:, _MIX_SNR]) * loud
        level = _level(options, draws[:, _NOISE], options.noise, draws[:, _SNR])
        if options.noise:
            white = torch.from_numpy(counter.normal(counter.key(key, "noise"), index, size)).to(device)
            view = view + white * level * loud
        if options.mask_band:
            view = _filtered(view, options.sample_rate, draws[:, _BAND] * options.mask_band, draws[:, _BAND_START])
        gain = options.gain * (2 * draws[:, _GAIN] - 1)
        drawn = {"start": start / options.sample_rate, "speed": torch.ones_like(start) if speed is None else speed}
        drawn |= {"gain": gain, "snr": -20 * level[:, 0].log10()}
        return view * 10 ** (gain[:, None] / 20), {name: value.float() for name, value in drawn.items()}

    def raw(self, view: Tensor) -> Tensor:
        """What raw input means for a sound: mean and deviation over time of each of 64 log-mel bands; n × 128."""
        mels = (log_mel(view, self.sample_rate) - self.mean) / self.std
        return torch.cat([mels.mean(2), mels.std(2)], 1)


def _played(waves: Tensor, lengths: Tensor, start: Tensor, speed: Tensor | None, size: int) -> Tensor:
    """`size` samples from `start` on, beginning again at the end; by cubic convolution (Keys 1981) at another speed."""
    place, lengths = torch.arange(size, device=waves.device, dtype=torch.float64), lengths[:, None]
    if speed is None:
        return waves.gather(1, (start[:, None] + place).long() % lengths)
    at = start[:, None] + place * speed[:, None]
    whole = at.floor()
    t, first = (at - whole).float(), whole.long()
    before, here, after, beyond = (waves.gather(1, (first + step) % lengths) for step in (-1, 0, 1, 2))
    slope, bend = after - before, 2 * before - 5 * here + 4 * after - beyond
    return here + 0.5 * t * (slope + t * (bend + t * (3 * (here - after) + beyond - before)))


def _outside(share: Tensor, start: Tensor, size: int) -> Tensor:
    """1 where a sample lies outside of the stretch of that share, which begins anywhere: n × size."""
    place = (torch.arange(size, device=share.device) + 0.5) / size
    first = (start * (1 - share))[:, None]
    return ((place < first) | (place >= first + share[:, None])).float()


def _drawn_from(others: Tensor, which: Tensor, start: Tensor, size: int) -> Tensor:
    """A stretch of one of the other sounds for each sample: n × size."""
    row = (which * len(others)).long().clamp_max(len(others) - 1)
    place = (start * others.shape[1]).long()[:, None] + torch.arange(size, device=others.device)
    return others[row[:, None], place % others.shape[1]]


def _level(options: AudioViews, luck: Tensor, probability: float, draw: Tensor) -> Tensor:
    """The amplitude of what is added, relative to the sound: n × 1, 0 where nothing is."""
    decibels = options.snr[0] + (options.snr[1] - options.snr[0]) * draw
    return torch.where(luck < probability, 10 ** (-decibels / 20), 0.0)[:, None]


def _filtered(view: Tensor, rate: int, share: Tensor, start: Tensor) -> Tensor:
    """Waves without the frequencies of one band, whose width is a share of the whole in mel."""
    spectrum = torch.fft.rfft(view)
    frequency = torch.arange(spectrum.shape[1], device=view.device) * (rate / view.shape[1])
    mel = (1 + frequency / 700).log() / math.log(1 + rate / 1400)
    first = (start * (1 - share))[:, None]
    return torch.fft.irfft(spectrum * ((mel < first) | (mel >= first + share[:, None])), view.shape[1])
