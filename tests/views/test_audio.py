"""Views of sounds: stretches, speed, gain, noise, gaps in time and frequency."""

import numpy as np
import pytest
import torch

from tacit.data.sounds.generated import diphthongs
from tacit.errors import TacitError
from tacit.numerics.mel import log_mel
from tacit.views import Program
from tacit.views.audio import AudioViews
from tacit.views.kinds import MultiCrop, Pair

SAMPLES = diphthongs(40)
INDEX = np.arange(40)
CONTENT, _ = SAMPLES.read(INDEX)
FACTS = SAMPLES.facts() | SAMPLES.statistics()
VIEWS = AudioViews.fit(FACTS)
STILL = {"speed": (1.0, 1.0), "gain": 0.0, "noise": 0.0, "mix": 0.0, "mask_time": 0.0, "mask_band": 0.0}


def test_plain_is_the_sound_itself_which_begins_again():
    view, drawn = VIEWS.look(CONTENT, INDEX, 0, "plain", plain_seconds=0.6)
    assert view.shape == (40, 4800) and drawn == {}
    for row, wave, length in zip(view, CONTENT.floats(), CONTENT.lengths.tolist()):
        assert torch.equal(row[:length], wave[:length]) and torch.equal(row[length:], wave[: 4800 - length])
    middle, _ = VIEWS.look(CONTENT, INDEX, 0, "plain", plain_seconds=0.2)
    start = (int(CONTENT.lengths[3]) - 1600) // 2
    assert torch.equal(middle[3], CONTENT.floats()[3, start : start + 1600])


def test_still_views_are_stretches_of_the_sound():
    view, drawn = VIEWS.look(CONTENT, INDEX, 3, **STILL)
    for row, wave, length, start in zip(view, CONTENT.floats(), CONTENT.lengths.tolist(), drawn["start"].tolist()):
        place = (round(start * 8000) + torch.arange(len(row))) % length
        assert torch.equal(row, wave[place])
    assert torch.isinf(drawn["snr"]).all() and len(drawn["start"].unique()) > 30


def test_speed_moves_the_pitch():
    t = torch.arange(8000) / 8000
    content = CONTENT._replace(waves=(20000 * torch.sin(2 * torch.pi * 500 * t)).short().expand(40, -1))
    content = content._replace(lengths=torch.full((40,), 8000), scales=torch.full((40,), 1 / 32768))
    view, drawn = VIEWS.look(content, INDEX, 1, **{**STILL, "speed": (0.5, 2.0)}, seconds=0.3)
    assert drawn["speed"].min() > 0.5 and drawn["speed"].max() < 2 and drawn["speed"].std() > 0.2
    peaks = torch.fft.rfft(view * torch.hann_window(2400)).abs().argmax(1) * (8000 / 2400)
    assert (peaks - 500 * drawn["speed"]).abs().max() < 5


def test_gain_and_noise_are_what_is_said():
    quiet, _ = VIEWS.look(CONTENT, INDEX, 3, **STILL)
    loud, drawn = VIEWS.look(CONTENT, INDEX, 3, **{**STILL, "gain": 12.0})
    assert torch.allclose(loud, quiet * 10 ** (drawn["gain"][:, None] / 20)) and drawn["gain"].abs().max() > 6
    noisy, drawn = VIEWS.look(CONTENT, INDEX, 3, **{**STILL, "noise": 1.0, "snr": (0.0, 20.0)})
    measured = 20 * (quiet.norm(dim=1) / (noisy - quiet).norm(dim=1)).log10()
    assert (measured - drawn["snr"]).abs().max() < 0.6 and drawn["snr"].std() > 3


def test_others_are_mixed_in_below_the_sound():
    quiet, _ = VIEWS.look(CONTENT, INDEX, 3, **STILL)
    mixed, _ = VIEWS.look(CONTENT, INDEX, 3, **{**STILL, "mix": 1.0, "snr": (10.0, 10.0)})
    ratio = 20 * (quiet.norm(dim=1) / (mixed - quiet).norm(dim=1)).log10()
    assert abs(float(ratio.mean()) - 10) < 2


def test_gaps_in_time_and_frequency():
    view, _ = VIEWS.look(CONTENT, INDEX, 3, **{**STILL, "mask_time": 0.5})
    gap = (view == 0).float().mean(1)
    assert gap.max() < 0.51 and 0.15 < gap.mean() < 0.35
    white = CONTENT._replace(waves=(3000 * torch.randn(40, 4800)).short(), lengths=torch.full((40,), 4800))
    white = white._replace(scales=torch.full((40,), 1 / 32768))
    view, _ = VIEWS.look(white, INDEX, 3, **{**STILL, "mask_band": 0.5}, seconds=0.5)
    silent = (log_mel(view, 8000).mean(2) < -12).float().mean(1)
    assert silent.max() < 0.55 and 0.1 < silent.mean() < 0.35


def test_a_view_depends_on_its_sample_alone():
    some = np.array([7, 3])
    few, _ = SAMPLES.read(some)
    for role in ("global", "local", "plain"):
        whole, part = (VIEWS.look(c, i, 1, role)[0] for c, i in ((CONTENT, INDEX), (few, some)))
        torch.testing.assert_close(whole[[7, 3]], part, atol=1e-5, rtol=1e-4)


def test_long_and_short_stretches():
    views, _ = Program(MultiCrop(large=2, small=3), VIEWS)(CONTENT, INDEX, 0)
    assert [view.shape[1] for view in views] == [2480, 2480, 1200, 1200, 1200]
    (first, second), _ = Program(Pair(), VIEWS)(CONTENT, INDEX, 0)
    assert not torch.equal(first, second)


def test_raw_input_is_the_mean_and_deviation_of_each_band():
    view, _ = VIEWS.look(CONTENT, INDEX, 0, "plain")
    mels = (log_mel(view, 8000) - FACTS["mean"]) / FACTS["std"]
    assert torch.allclose(VIEWS.raw(view), torch.cat([mels.mean(2), mels.std(2)], 1))


def test_views_of_long_sounds_are_bounded():
    found = AudioViews.fit({"rate": 16000, "seconds": [20.0, 30.0], "mean": 0.0, "std": 1.0})
    assert (found.seconds, found.plain_seconds, found.shape) == (2.0, 10.0, (32000,))
    assert AudioViews.fit(FACTS, seconds=0.9).plain_seconds == 0.9


@pytest.mark.parametrize(
    "options",
    [
        {"seconds": 0},
        {"seconds": "long"},
        {"speed": [1.2, 0.8]},
        {"gain": -1},
        {"noise": 2},
        {"snr": [40, 10]},
        {"mask_time": 1.5},
        {"sample_rate": 16000},
        {"sped": [1, 1]},
    ],
)
def test_mistakes_are_named(options):
    with pytest.raises(TacitError):
        AudioViews.fit(FACTS, **options)


def test_an_unknown_role():
    with pytest.raises(TacitError, match="role"):
        VIEWS.look(CONTENT, INDEX, 0, "masked")
