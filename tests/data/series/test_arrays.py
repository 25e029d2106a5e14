"""Arrays and archives of series: what is taken for one, and how it is read."""

import numpy as np
import pytest

import tacit
from tacit.data.series.arrays import from_array
from tacit.errors import TacitError

RANDOM = np.random.default_rng(0)


def saved(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_an_archive_of_splits_lengths_and_classes(tmp_path):
    x = RANDOM.normal(size=(6, 2, 9)).astype(np.float32)
    lengths = np.array([9, 4, 9, 7, 9, 9])
    file = saved(
        tmp_path / "a.npz",
        **{"x_train": x[:4], "x_test": x[4:], "y_train": [0, 1, 1, 0], "y_test": [1, 0], "classes": ["low", "high"]},
        **{"len_train": lengths[:4], "len_test": lengths[4:]},
    )
    samples = tacit.open(file)
    assert samples.kind == "series" and samples.classes == ("low", "high") and samples.labels.tolist() == [0, 1, 1, 0, 1, 0]
    assert samples.lengths.tolist() == lengths.tolist() and samples.ids[4] == "test/00000"
    content, _ = samples.read(np.array([1]))
    np.testing.assert_array_equal(content.values[0].numpy(), x[1, :, :4])
    np.testing.assert_allclose(samples.split("test").statistics()["mean"], x[4:].mean((0, 2)), rtol=1e-5)


def test_what_missing_values_end_in_is_no_part_of_a_series():
    x = RANDOM.normal(size=(3, 1, 9))
    x[0, 0, 5:] = np.nan
    x[1, 0, 2] = np.nan
    assert from_array(x).lengths.tolist() == [5, 9, 9]


@pytest.mark.parametrize("shape", [(20, 1, 30), (20, 4, 30)])
def test_arrays_that_can_be_no_images_are_series(tmp_path, shape):
    x = RANDOM.normal(size=shape).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    for source in (x, str(tmp_path / "x.npy"), saved(tmp_path / "x.npz", x=x)):
        samples = tacit.open(source)
        assert samples.kind == "series" and len(samples) == 20 and samples.facts()["channels"] == shape[1]


def test_images_vectors_and_clouds_stay_what_they_are():
    assert tacit.open(RANDOM.random((20, 8, 8))).kind == "image"
    assert tacit.open(RANDOM.normal(size=(20, 8))).kind == "vector"
    assert tacit.open(RANDOM.normal(size=(20, 64, 3))).kind == "cloud"
    assert len(tacit.open(RANDOM.normal(size=(20, 8)), kind="series")) == 20
    assert len(tacit.open([RANDOM.normal(size=(2, n)) for n in (5, 7, 9)])) == 3


def test_borders_part_one_long_series(tmp_path):
    x = RANDOM.normal(size=(1000, 3)).astype(np.float32)
    samples = tacit.open(saved(tmp_path / "x.npz", x=x, borders=[0, 500, 700, 900], columns=["a", "b", "c"]))
    assert samples.names == ("a", "b", "c") and samples.long.parts[1] == ("val", 500, 700)
    assert samples.starts.max() + samples.lengths[0] <= 900
    with pytest.raises(TacitError, match="borders"):
        tacit.open(saved(tmp_path / "y.npz", x=x, borders=[0, 500, 400]))


def test_a_series_with_an_anomaly_whose_test_part_repeats_the_prefix(tmp_path):
    whole = RANDOM.normal(size=2000).astype(np.float32)
    marks = np.zeros(2000, np.uint8)
    marks[1500:1512] = 1
    samples = tacit.open(saved(tmp_path / "x.npz", x_train=whole[:600], x_test=whole, y_test=marks))
    assert len(samples.values) == 2000 and samples.long.parts == (("train", 0, 600), ("test", 600, 2000))
    assert np.flatnonzero(samples.long.anomaly).tolist() == list(range(1500, 1512))
    apart = tacit.open(saved(tmp_path / "y.npz", x_train=whole[:600], x_test=whole[600:], y_test=marks[600:]))
    np.testing.assert_array_equal(apart.long.anomaly, samples.long.anomaly)
    np.testing.assert_array_equal(apart.values, samples.values)


def test_a_long_series_stays_on_disk(tmp_path):
    np.save(tmp_path / "x.npy", RANDOM.normal(size=(1, 4, 5000)).astype(np.float32))
    samples = tacit.open(str(tmp_path / "x.npy"), kind="series")
    assert isinstance(samples.values, np.memmap) and len(samples) > 100
    assert samples.read(np.array([0]))[0].values.shape == (1, 4, 128)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((3, 2, 4, 5)) - 1}, "N × channels"),
        ({"x_train": np.zeros((3, 1, 4)) - 1, "x_test": np.zeros((3, 2, 4)) - 1}, "1 and 2 channels"),
        ({"x": np.zeros((3, 1, 4)), "len": [9, 9, 9]}, "lengths"),
        ({"x": np.zeros((3, 1, 4)), "y": [1, 2]}, "labels"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, arrays, said):
    with pytest.raises(TacitError, match=said):
        tacit.open(saved(tmp_path / "x.npz", **arrays), kind="series")


def test_what_memory_does_not_hold_is_refused_with_a_way_out(tmp_path, monkeypatch):
    file = saved(tmp_path / "x.npz", x=RANDOM.normal(size=(50, 1, 40)))
    monkeypatch.setattr("tacit.data.series.arrays.free_memory", lambda: 1000)
    with pytest.raises(TacitError, match=r"x\.npz unpacks to .* save its series as an \.npy"):
        tacit.open(file)
