"""Point clouds opened: normalised, thinned, refused one by one, kept in memory once verified."""

import numpy as np
import pytest

from tacit.data import open
from tacit.data.checking import verify
from tacit.data.clouds.samples import CloudArrays, StoredClouds
from tacit.data.clouds.shapes import rotations, shapes, write
from tacit.data.inspecting import inspect
from tacit.errors import TacitError

RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("shapes")
    write(shapes(120), place)
    return place


def test_a_folder_opens_as_what_was_written(folder):
    samples, made = open(str(folder)), shapes(120)
    assert isinstance(samples, StoredClouds) and samples.kind == "cloud" and len(samples) == 120
    assert samples.classes == made.classes and (samples.splits == "test").sum() == 24
    names = dict(zip((id.replace(".ply", "") for id in samples.ids), range(120)))
    position = next(i for id, i in names.items() if id.endswith("/00007"))
    (cloud,), bad = samples.read(np.array([position]))[0].points, samples.read(np.array([position]))[1]
    (other,) = made.read(np.array([7]))[0].points
    assert not bad and samples.classes[samples.labels[position]] == made.classes[made.labels[7]]
    assert np.allclose(np.sort(cloud.numpy(), 0), np.sort(other.numpy(), 0), atol=1e-5)  # only their order is another


def test_clouds_are_normalised_and_padded(folder):
    (points, counts), _ = open(str(folder)).read(np.arange(8))
    for cloud, count in zip(points, counts.tolist()):
        assert cloud[:count].mean(0).abs().max() < 1e-4 and abs(cloud.norm(dim=1).max() - 1) < 1e-5
        assert (cloud[count:] == 0).all()


def test_large_clouds_are_thinned_alike_each_time(tmp_path):
    np.save(tmp_path / "large.npy", RNG.normal(size=(5000, 3)))
    samples = open(str(tmp_path / "large.npy"), kind="cloud")
    (first, counts), _ = samples.read(np.array([0]))
    assert counts.tolist() == [2048] and (samples.read(np.array([0]))[0].points == first).all()


@pytest.mark.parametrize("kind", [None, "cloud"])
def test_an_array_of_clouds(kind, tmp_path):
    array, labels = RNG.normal(size=(20, 50, 3)), np.arange(20) % 2
    np.savez(tmp_path / "a.npz", x=array, y=labels)
    for samples in (open(array, kind=kind), open(str(tmp_path / "a.npz"), kind=kind)):
        assert samples.kind == "cloud" and len(samples) == 20 and samples.facts()["points"] == 50
    assert samples.classes == ("0", "1")


def test_a_folder_of_npy_files(tmp_path):
    for number in range(6):
        np.save(tmp_path / f"{number}.npy", RNG.normal(size=(40, 3)).astype(np.float32))
    assert open(str(tmp_path)).kind == "cloud"


def test_verified_clouds_stay_in_memory_and_know_their_files(folder):
    kept, corrupt = verify(open(str(folder)))
    assert isinstance(kept, CloudArrays) and not corrupt
    before, after = open(str(folder)).read(np.arange(5, 9))[0], kept.read(np.arange(5, 9))[0]
    assert (before.points == after.points).all() and (before.counts == after.counts).all()
    assert kept.path(3) == open(str(folder)).path(3) and kept.take(np.array([3])).path(0) == kept.path(3)
    assert kept.facts() == open(str(folder)).facts()


def broken(place):
    place.mkdir()
    for number in range(300):
        np.save(place / f"{number:03}.npy", RNG.normal(size=(40, 3)).astype(np.float32))
    np.save(place / "three.npy", np.eye(3, dtype=np.float32))
    np.save(place / "same.npy", np.ones((40, 3), np.float32))
    return place


def test_what_cannot_be_read_is_left_out_and_named(tmp_path):
    place = broken(tmp_path / "a")
    kept, corrupt = verify(open(str(place)))
    assert len(kept) == 300
    assert {c.id: c.why for c in corrupt} == {
        "three.npy": "it holds 3 points, and 16 are needed",
        "same.npy": "all of its points lie in one place",
    }
    assert kept.path(299).endswith("299.npy") and len(kept.read(np.arange(300))[0].points) == 300


def test_more_than_one_per_cent_stops(tmp_path):
    place = broken(tmp_path / "a")
    points = RNG.normal(size=(40, 3)).astype(np.float32)
    points[4, 1] = np.nan
    np.save(place / "nan.npy", points)
    np.save(place / "twice.npy", np.tile(np.eye(3, dtype=np.float32), (40, 1)))
    (place / "empty.npy").touch()
    with pytest.raises(TacitError, match="5 of 305 samples"):
        verify(open(str(place)))
    _, bad = open(str(place)).read(np.arange(300, 305))
    assert sorted(bad.values()) == [
        "1 of its 40 points hold NaN or infinity",
        "all of its points lie in one place",
        "it holds 3 points, and 16 are needed",
        "of its 120 points 3 differ, and 16 are needed",
        "the file is empty",
    ]


def test_inspecting_names_trouble_duplicates_and_what_is_ignored(tmp_path):
    place = broken(tmp_path / "a")
    np.save(place / "copy.npy", np.load(place / "000.npy"))
    (place / "notes.txt").write_text("hello")
    found = inspect(str(place))
    assert found.kind == "cloud" and found.duplicates == 1 and found.ignored == {".txt": 1} and len(found.trouble) == 2
    assert "3 points" in str(found) and found.sizes["median"] == [40] and found.formats == {"npy": 303}


def test_nothing_readable_is_one_sentence(tmp_path):
    (tmp_path / "a.ply").write_bytes(b"")
    with pytest.raises(TacitError, match=r"None of the 1 clouds .* the file is empty"):
        open(str(tmp_path))
    with pytest.raises(TacitError, match="no point cloud"):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "a.txt").touch()
        open(str(tmp_path / "b"), kind="cloud")
    with pytest.raises(TacitError, match="N × points × 3"):
        open(np.zeros((5, 4)), kind="cloud")


def test_shapes_are_functions_of_seed_and_row():
    few, many = shapes(10), shapes(20)
    assert (few.values == many.values[: len(few.values)]).all() and (few.labels == many.labels[:10]).all()
    assert not np.array_equal(shapes(10, seed=1).values[:50], few.values[:50])
    with pytest.raises(TacitError, match="9 families"):
        shapes(10, classes=9)


def test_rotations_are_rotations():
    found = rotations(RNG.normal(size=(7, 4)))
    assert np.allclose(found @ found.swapaxes(1, 2), np.eye(3)) and np.allclose(np.linalg.det(found), 1)
