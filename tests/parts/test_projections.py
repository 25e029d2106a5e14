"""Signals by other coordinates: sines and wavelets by their definitions."""

import math

import pytest
import torch

from tacit.errors import TacitError
from tacit.parts.sequences.projections import FourierEncoder, ScalogramEncoder, VectorMap, fourier, scalogram, wavelet_scales


def test_the_transform_is_orthonormal():
    x = torch.randn(3, 2, 16, generator=torch.Generator().manual_seed(0))
    amplitude, phase = fourier(x)
    assert amplitude.shape == phase.shape == (3, 2, 9)
    energy = amplitude.square()
    torch.testing.assert_close(2 * energy.sum(2) - energy[:, :, 0] - energy[:, :, -1], x.square().sum(2))


def test_a_wavelet_coefficient_by_its_integral():
    length, scale = 64, 6.0
    x = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = scalogram(x.float(), torch.tensor([scale]))[0, 0, 0]
    times = torch.arange(length, dtype=torch.float64)
    for b in (20, 32, 45):
        t = (times - b) / scale
        wave = torch.exp(-t * t) / math.sqrt(math.pi)
        real, imaginary = (
            (x[0, 0] * wave * turn).sum() / math.sqrt(scale)
            for turn in (torch.cos(2 * math.pi * t), torch.sin(2 * math.pi * t))
        )
        assert float(found[b]) == pytest.approx(float(torch.hypot(real, imaginary)), rel=1e-3)


def test_a_rhythm_is_strongest_at_its_own_scale():
    time = torch.arange(128.0)
    scales = wavelet_scales(128, 24)
    for period in (5.0, 12.0, 30.0):
        seen = scalogram(torch.sin(2 * math.pi * time / period)[None, None], scales)[0, 0, :, 40:90].mean(1)
        assert float(scales[seen.argmax()]) == pytest.approx(period, rel=0.25)
    assert scales[0] == 1 and scales[-1] == pytest.approx(64)


def test_encoders_and_maps_give_one_vector_each():
    x = torch.randn(4, 3, 20)
    assert FourierEncoder(3, 10)(x).shape == (4, 10) and ScalogramEncoder(3, 10, 20, 8)(x).shape == (4, 10)
    assert VectorMap(2)(torch.randn(4, 10)).shape == (4, 10) and VectorMap(2)(torch.randn(4, 7)).shape == (4, 7)
    with pytest.raises(TacitError, match="even width"):
        FourierEncoder(3, 9)
