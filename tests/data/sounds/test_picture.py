"""Pictures of sounds: the waveform is what its samples are."""

import numpy as np
import torch

from tacit.data.sounds.generated import diphthongs
from tacit.data.sounds.picture import TALL, pictures, waveforms


def test_a_waveform_reaches_from_the_lowest_to_the_highest_sample():
    wave = torch.zeros(1, 400)
    wave[0, 100:200] = 0.5
    wave[0, 300:350], wave[0, 350:400] = -0.25, 0.25
    drawn = waveforms(wave, 4)[0, :, :, 0] < 128
    rows = [np.flatnonzero(column) for column in drawn.T]
    middle = (TALL - 1) / 2
    for column, (low, high) in zip(rows, ((0, 0), (1, 1), (0, 0), (-0.5, 0.5))):  # of the loudest
        top, bottom = middle * (1 - high), middle * (1 - low)
        assert column[0] == np.floor(top) and column[-1] == np.ceil(bottom) and len(column) == column[-1] - column[0] + 1
    assert (waveforms(torch.zeros(1, 8), 4) < 128).any()  # silence is a line


def test_pictures_end_with_their_sounds():
    samples = diphthongs(3)
    content, _ = samples.read(np.arange(3))
    drawn = pictures(content, samples.facts()["rate"])
    assert [picture.shape[0] for picture in drawn] == [TALL + 64] * 3 and all(picture.dtype == np.uint8 for picture in drawn)
