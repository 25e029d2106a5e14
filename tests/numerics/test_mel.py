"""Log-mel spectrograms against their definition, written out."""

import math

import pytest
import torch

from tacit.numerics.mel import FLOOR, filters, hop_of, log_mel


def test_by_the_definition():
    """Frames cut by hand, a transform by sums, triangles by their formula."""
    torch.manual_seed(0)
    wave, rate, mels = torch.randn(1600), 8000, 20
    found = log_mel(wave[None], rate, mels)[0].double()
    window, hop, size = 200, 80, 256
    hann = 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(window, dtype=torch.float64) / window)
    centred = torch.zeros(size, dtype=torch.float64)
    centred[(size - window) // 2 : (size - window) // 2 + window] = hann
    mirrored = torch.cat([wave[1 : size // 2 + 1].flip(0), wave, wave[-size // 2 - 1 : -1].flip(0)]).double()
    turns = torch.exp(-2j * math.pi * torch.arange(129)[:, None] * torch.arange(size)[None] / size).to(torch.complex128)
    edges = [700 * (10 ** (m * 2595 * math.log10(1 + 4000 / 700) / (mels + 1) / 2595) - 1) for m in range(mels + 2)]
    assert found.shape == (mels, 20)
    for frame in (0, 7, 19):
        power = (turns @ (mirrored[frame * hop : frame * hop + size] * centred).to(torch.complex128)).abs().square()
        for band in (0, 9, 19):
            low, middle, high = edges[band : band + 3]
            total = 0.0
            for k in range(129):
                f = k * rate / size
                total += max(min((f - low) / (middle - low), (high - f) / (high - middle)), 0) * float(power[k])
            if total == 0:  # narrower than a bin
                continue
            wanted = math.log(total / float(hann.square().sum()) + FLOOR)
            assert float(found[band, frame]) == pytest.approx(wanted, abs=1e-3)


def test_every_band_hears_something():
    for rate, mels in ((8000, 64), (16000, 128), (44100, 80)):
        size = 1 << (round(0.025 * rate) - 1).bit_length()
        assert (filters(rate, size, mels).sum(1) > 0).all()


def test_a_tone_lies_in_its_band():
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(16000) / 16000)
    mels = log_mel(tone[None], 16000, 40)[0]
    middles = torch.linspace(0, 2595 * math.log10(1 + 8000 / 700), 42)[1:-1]
    assert abs(float(middles[mels.mean(1).argmax()]) - 2595 * math.log10(1 + 1000 / 700)) < 40


def test_white_noise_has_its_variance_in_every_bin():
    noise = 0.1 * torch.randn(1, 80000, generator=torch.Generator().manual_seed(0))
    power = log_mel(noise, 8000, 30).exp().mean(2)[0] / filters(8000, 256, 30).sum(1)
    assert power.mean() == pytest.approx(0.01, rel=0.1)


def test_short_waves_and_the_number_of_frames():
    assert hop_of(8000) == 80 and hop_of(22050) in (220, 221)
    for length, frames in ((800, 10), (801, 11), (79, None)):
        mels = log_mel(torch.randn(2, length), 8000)
        assert mels.isfinite().all() and (frames is None or mels.shape == (2, 64, frames))


def test_gradients_reach_the_wave():
    wave = 0.1 * torch.randn(2, 800, generator=torch.Generator().manual_seed(0))
    wave.requires_grad_()
    log_mel(wave, 8000).sum().backward()
    assert wave.grad.isfinite().all() and (wave.grad != 0).float().mean() > 0.9
