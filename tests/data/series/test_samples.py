"""Series in memory: what is read, what is refused, what windows are cut."""

import numpy as np
import pytest
import torch

from tacit.data.checking import verify
from tacit.data.series.arrays import from_array, from_list
from tacit.data.series.generated import rhythms
from tacit.data.series.samples import Long, Part, SeriesSamples
from tacit.errors import TacitError


def ramp(length, channels=1):
    return np.arange(length * channels, dtype=np.float32).reshape(channels, length)


def test_unequal_lengths_are_padded_behind():
    samples = from_list([ramp(3, 2), ramp(5, 2)])
    content, bad = samples.read(np.array([1, 0]))
    assert not bad and content.lengths.tolist() == [5, 3] and content.values.shape == (2, 2, 5)
    assert torch.equal(content.values[0], torch.from_numpy(ramp(5, 2))) and content.values[1, :, 3:].eq(0).all()
    assert samples.facts()["gaps"] and samples.facts()["longest"] == 5


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (np.ones((2, 8)), "constant"),
        (np.where(np.arange(8) == 3, np.inf, ramp(8, 2)), "infinity"),
        (np.stack([np.full(8, np.nan), np.arange(8)]), "its channel 1 has no value"),
    ],
)
def test_what_is_of_no_use_is_named_and_skipped(row, why):
    several = [ramp(8, 2) + number for number in range(199)]
    samples = from_list([*several, row.astype(np.float32)])
    good, corrupt = verify(samples)
    assert len(good) == 199 and corrupt[0].id == "00199" and why in corrupt[0].why
    with pytest.raises(TacitError, match=f"2 of 4 samples.*{why}"):
        verify(from_list([*several[:2], row.astype(np.float32), row.astype(np.float32)]))


def test_one_constant_channel_is_no_trouble():
    samples = from_list([np.stack([np.ones(8), np.arange(8)])] * 4)
    assert verify(samples)[1] == [] and "4 of the 4" in samples.look(np.arange(4), 9)["notes"]["constant"]


def test_a_channel_without_any_value_is_left_out_and_named():
    rows = np.stack([np.stack([np.arange(8.0) + i, np.full(8, np.nan)]) for i in range(5)])
    samples = from_array(rows)
    assert samples.names == ("channel 1",) and samples.ignored == {"channel channel 2 (no value at all)": 5}
    with pytest.raises(TacitError, match="nothing but missing values"):
        from_array(np.full((3, 1, 8), np.nan))


def test_statistics_count_every_moment_once_and_no_other():
    values = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    values[5, 1] = np.nan
    long = Long((Part("train", 0, 200), Part("test", 200, 400)), 40, 3)
    whole = SeriesSamples.of("s", values, np.array([400]), ["0"])
    whole.long = long
    train = whole.windows(40, 3).split("train")
    found, covered = train.statistics(), values[: train.starts[-1] + 40].astype(np.float64)
    np.testing.assert_allclose(found["mean"], np.nanmean(covered, 0), rtol=1e-9)
    np.testing.assert_allclose(found["std"], np.nanstd(covered, 0), rtol=1e-9)


def test_a_long_series_is_cut_by_time_and_no_window_crosses_a_border():
    samples = from_array(np.sin(np.arange(3000) / 7))
    assert samples.long is not None and set(samples.splits.tolist()) == {"train", "val", "test"}
    for part in samples.long.parts:
        mine = samples.split(part.name)
        assert (mine.starts >= part.begin).all() and (mine.starts + mine.lengths <= part.end).all()
    assert "128 values, a new one every 8" in samples.notes["windows"]
    again = samples.windows(64, 16)
    assert again.lengths[0] == 64 and len(again) == len(again.ids) and len(samples.whole()) == 1
    assert len(from_array(np.sin(np.arange(100.0)))) == 1  # too short to be cut


def test_windows_of_nothing_are_left_out():
    values = np.sin(np.arange(3000) / 7)
    values[500:900] = np.nan
    samples = from_array(values)
    held = np.arange(3000)[samples.starts[:, None] + np.arange(128)]
    assert not np.isnan(values[held]).all(1).any() and "without any value are left out" in samples.notes["windows"]
    assert verify(samples)[1] == []


def test_a_run_on_windows_cuts_another_series_alike_and_one_on_series_takes_it_whole():
    samples = from_array(np.sin(np.arange(3000) / 7))
    facts = samples.facts()
    assert samples.fitted({**facts, "window": 32}).lengths[0] == 32
    assert len(samples.fitted({**facts, "window": 0, "longest": 3000})) == 1
    with pytest.raises(TacitError, match="2 channels"):
        rhythms(10).fitted(facts)
    with pytest.warns(UserWarning, match="longer than the 20 values"):
        rhythms(10).fitted({**rhythms(10).facts(), "longest": 20})
    with pytest.warns(UserWarning, match="missing values or unequal lengths"):
        rhythms(10, gaps=0.1).fitted({**rhythms(10).facts(), "longest": 64})


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="windows are cut from a source that holds one"):
        rhythms(10).windows()
    with pytest.raises(TacitError, match="0 windows of 4000 values"):
        from_array(np.sin(np.arange(3000) / 7)).windows(4000)
    with pytest.raises(TacitError, match="mixes arrays"):
        from_list([ramp(4, 1), ramp(4, 2)])
