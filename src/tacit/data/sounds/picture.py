"""Sounds as small pictures: their spectrograms, dark where they are loud."""

import numpy as np
import torch
from torch import Tensor

from tacit.data.sounds.samples import Sounds
from tacit.numerics.mel import log_mel

RANGE = 9.0  # of the logarithm of the power that is drawn, below the loudest: 39 dB
WIDEST = 128  # columns


def spectrograms(waves: Tensor, rate: int) -> np.ndarray:
    """Waves n × t -> uint8, n × 64 × frames × 1, low frequencies at the bottom; of many frames the means of neighbours."""
    mels = log_mel(waves.cpu(), rate)
    if mels.shape[2] > WIDEST:
        mels = torch.nn.functional.adaptive_avg_pool1d(mels, WIDEST)
    loudest = mels.amax((1, 2), keepdim=True)
    shade = ((loudest - mels) / RANGE).clamp(0, 1) * 255
    return shade.flip(1).byte()[..., None].numpy()


def pictures(content: Sounds, rate: int) -> list[np.ndarray]:
    """One spectrogram of each sound, without the silence behind it: uint8, 64 × frames × 1."""
    drawn = spectrograms(content.floats(), rate)
    share = content.lengths.double() / max(content.waves.shape[1], 1)
    ends = (share * drawn.shape[2]).ceil().long().clamp_min(1).tolist()
    return [picture[:, :end] for picture, end in zip(drawn, ends)]
