"""Log-mel spectrograms of whole batches, on the device where the waves are."""

from functools import lru_cache

import torch
from torch import Tensor

WINDOW, HOP = 0.025, 0.010  # seconds: a window, and from one to the next; usual for speech
MELS = 64
FLOOR = 1e-8  # added to the power: 80 dB below white noise of standard deviation 1


def log_mel(waves: Tensor, rate: int, mels: int = MELS) -> Tensor:
    """Waves n × t, at `rate` samples a second -> n × mels × frames: the natural logarithm of the power in each band.

    A Hann window of 25 ms every 10 ms, its transform as long as the next power of two; frames lie around 0, hop, 2 · hop, …
    while they are below t, so there are ⌈t / hop⌉ of them, what is outside being mirrored. Power is relative to the window's,
    so that white noise of variance v has power v in every bin.
    """
    with torch.autocast(waves.device.type, enabled=False):
        waves = waves.float()
        window, hop = round(WINDOW * rate), hop_of(rate)
        size = 1 << (window - 1).bit_length()
        hann = torch.hann_window(window, device=waves.device)
        if waves.shape[1] <= size // 2:  # shorter than what is mirrored
            waves = waves.repeat(1, size // 2 // waves.shape[1] + 1)
        spectrum = torch.stft(waves, size, hop, window, hann, pad_mode="reflect", return_complex=True)
        frames = -(-waves.shape[1] // hop)
        real, imaginary = torch.view_as_real(spectrum.transpose(1, 2)[:, :frames]).unbind(3)  # as it lies in memory
        power = torch.addcmul(real.square(), imaginary, imaginary)
        bank = (filters(rate, size, mels) / float(hann.square().sum())).to(waves.device)
        return (power @ bank.T).add_(FLOOR).log().transpose(1, 2)


def hop_of(rate: int) -> int:
    """Samples from one frame to the next."""
    return max(round(HOP * rate), 1)


@lru_cache(maxsize=16)
def filters(rate: int, size: int, mels: int) -> Tensor:
    """Triangles of height 1, evenly spaced in mel from 0 to rate / 2: mels × (size / 2 + 1).

    mel(f) = 2595 · log10(1 + f / 700), as in HTK and Kaldi; the triangle of a band reaches to the middles of its neighbours,
    and is at its highest in the bin nearest to its own where it would lie between two.
    """
    top = 2595.0 * torch.log10(torch.tensor(1 + rate / 2 / 700, dtype=torch.float64))
    middles = 700 * (10 ** (torch.linspace(0, 1, mels + 2, dtype=torch.float64) * top / 2595) - 1)
    bins = torch.arange(size // 2 + 1, dtype=torch.float64) * rate / size
    rising = (bins - middles[:-2, None]) / (middles[1:-1] - middles[:-2])[:, None]
    falling = (middles[2:, None] - bins) / (middles[2:] - middles[1:-1])[:, None]
    bank = torch.minimum(rising, falling).clamp_min(0)
    nearest = (bins - middles[1:-1, None]).abs().argmin(1)
    narrow = bank.sum(1) == 0
    bank[narrow.nonzero()[:, 0], nearest[narrow]] = 1.0
    return bank.float()
