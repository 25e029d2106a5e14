"""A signal by other coordinates: sines, and wavelets; encoders of both, and a map from one vector to another."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tacit.errors import TacitError

WIDEST = 128.0  # the largest scale, in moments
WIDTH = 16  # features of the first layers


def fourier(x: Tensor) -> tuple[Tensor, Tensor]:
    """Amplitude and phase of an orthonormal transform: n × c × t -> two n × c × (t // 2 + 1)."""
    spectrum = torch.fft.rfft(x.float(), dim=2, norm="ortho")
    return spectrum.abs(), spectrum.angle()


def wavelet_scales(length: int, count: int) -> Tensor:
    """`count` scales, from 1 to WIDEST or half the length, evenly in their logarithm."""
    return torch.logspace(0, math.log10(max(min(WIDEST, length / 2), 2.0)), count)


def scalogram(x: Tensor, scales: Tensor) -> Tensor:
    """Amplitudes by complex Morlet wavelets of bandwidth 1 and centre frequency 1: n × c × t and s -> n × c × s × t.

    The wavelet of scale a around b is conj(ψ((t − b)/a)) / √a, ψ(t) = exp(−t²) exp(2πit) / √π; the convolution is done by its
    spectrum, exp(−π²(af − 1)²) √a, with zeros around the signal.
    """
    length = x.shape[2]
    padded = 3 * length
    frequencies = torch.fft.fftfreq(padded, device=x.device)
    scales = scales.to(x.device)[:, None]
    window = (-((math.pi * (scales * frequencies - 1)) ** 2)).exp() * scales.sqrt() * (frequencies >= 0)
    spectrum = torch.fft.fft(x.float(), n=padded, dim=2)
    return torch.fft.ifft(spectrum[:, :, None] * window, dim=3)[..., :length].abs()


class FourierEncoder(nn.Module):
    """Amplitudes through one half, phases through the other: n × c × t -> n × dim."""

    def __init__(self, channels: int, dim: int):
        super().__init__()
        if dim % 2:
            raise TacitError(f"The encoder gives {dim} values, of which amplitude and phase get half each; take an even width.")
        self.amplitude, self.phase = (_branch(channels, dim // 2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        amplitude, phase = fourier(x)
        return torch.cat([self.amplitude(amplitude), self.phase(phase)], 1)


class ScalogramEncoder(nn.Module):
    """Convolutions over scale and time: n × c × t -> n × dim."""

    scales: Tensor

    def __init__(self, channels: int, dim: int, length: int, scales: int):
        super().__init__()
        self.register_buffer("scales", wavelet_scales(length, scales), persistent=False)
        widths = [channels, WIDTH, 2 * WIDTH, 4 * WIDTH]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(4, after), nn.GELU()]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(4 * WIDTH, dim)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            seen = scalogram(x, self.scales)
        return self.last(self.layers(seen).mean((2, 3)))


class VectorMap(nn.Module):
    """A vector as a row of numbers through a convolution of width 3 to half its length, and back: n × d -> n × d."""

    def __init__(self, hidden: int):
        super().__init__()
        self.down = nn.Conv1d(1, hidden, 3, 2, 1)
        self.up = nn.ConvTranspose1d(hidden, 1, 3, 2, 1, output_padding=1)

    def forward(self, z: Tensor) -> Tensor:
        return self.up(F.relu(self.down(z[:, None])))[:, 0, : z.shape[1]]


def _branch(channels: int, dim: int) -> nn.Sequential:
    """Strided convolutions along one axis, and the mean: n × c × t -> n × dim."""
    layers: list[nn.Module] = []
    for before, after in ((channels, WIDTH), (WIDTH, 2 * WIDTH), (2 * WIDTH, 4 * WIDTH)):
        layers += [nn.Conv1d(before, after, 3, 2, 1), nn.GroupNorm(4, after), nn.GELU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4 * WIDTH, dim))
