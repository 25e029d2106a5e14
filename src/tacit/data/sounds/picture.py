"""Sounds as small pictures: the waveform, and below it the spectrogram, dark where it is loud."""

import numpy as np
import torch
from torch import Tensor

from tacit.data.sounds.samples import Sounds
from tacit.numerics.mel import log_mel

RANGE = 9.0  # of the logarithm of the power that is drawn, below the loudest: 39 dB
WIDEST = 128  # columns
TALL = 24  # rows of a waveform


def spectrograms(waves: Tensor, rate: int) -> np.ndarray:
    """Waves n × t -> uint8, n × 64 × frames × 1, low frequencies at the bottom; of many frames the means of neighbours."""
    mels = log_mel(waves.cpu(), rate)
    if mels.shape[2] > WIDEST:
        mels = torch.nn.functional.adaptive_avg_pool1d(mels, WIDEST)
    loudest = mels.amax((1, 2), keepdim=True)
    shade = ((loudest - mels) / RANGE).clamp(0, 1) * 255
    return shade.flip(1).byte()[..., None].numpy()


def waveforms(waves: Tensor, columns: int) -> np.ndarray:
    """Waves n × t -> uint8, n × TALL × columns × 1: in each column from the lowest to the highest of its samples, the loudest
    of all as high as the picture."""
    scale = waves.abs().amax(1, keepdim=True).clamp_min(1e-9)
    parts = torch.nn.functional.adaptive_max_pool1d(torch.stack([waves, -waves], 1) / scale[:, None], columns)
    high, low = ((1 - sign * part) / 2 * (TALL - 1) for sign, part in zip((1, -1), parts.unbind(1)))  # rows, counted downwards
    row = torch.arange(TALL)[:, None]
    inked = (row >= high.floor()[:, None]) & (row <= low.ceil()[:, None])
    return np.where(inked.numpy(), 60, 255).astype(np.uint8)[..., None]


def pictures(content: Sounds, rate: int) -> list[np.ndarray]:
    """One of each sound, without the silence behind it: uint8, TALL + 64 × frames × 1."""
    waves = content.floats().cpu()
    below = spectrograms(waves, rate)
    drawn = np.concatenate([waveforms(waves, below.shape[2]), below], 1)
    share = content.lengths.double() / max(content.waves.shape[1], 1)
    ends = (share * drawn.shape[2]).ceil().long().clamp_min(1).tolist()
    return [picture[:, :end] for picture, end in zip(drawn, ends)]
