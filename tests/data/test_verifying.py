import numpy as np
import pytest

import tacit.data
from tacit.data import checking
from tacit.data.caching import Cached
from tacit.data.checking import verify
from tacit.errors import TacitError

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(save, tmp_path):
    """100 images of unequal sizes in two classes and two splits."""
    for i in range(100):
        pixels = RNG.integers(0, 256, (4 + i % 5, 6 + i % 3, 3), dtype=np.uint8)
        save(f"{'test' if i % 4 == 0 else 'train'}/{'ab'[i % 2]}/{i:03d}.png", pixels)
    return tmp_path


def spoil(folder, count):
    for path in sorted(folder.rglob("*.png"))[5 : 5 + count]:
        path.write_text("no image")


def test_what_fits_is_kept_decoded_and_equal(folder):
    samples = tacit.data.open(folder)
    kept, corrupt = verify(samples)
    assert isinstance(kept, Cached) and corrupt == []
    assert kept.ids == samples.ids and (kept.labels == samples.labels).all() and (kept.splits == samples.splits).all()
    assert kept.facts() == samples.facts() and kept.path(3) == samples.path(3) and kept.source == samples.source
    index = np.array([99, 0, 7, 7, 42])
    expected, found = samples.read(index)[0], kept.read(index)[0]
    assert (found.pixels == expected.pixels).all() and (found.sizes == expected.sizes).all()
    half = kept.split("test").take(np.array([3, 1]))
    expected = samples.split("test").take(np.array([3, 1])).read(np.arange(2))[0]
    assert (half.read(np.arange(2))[0].pixels == expected.pixels).all() and half.path(0) == samples.path(3)
    assert kept.with_side(4).read(np.array([2]))[0].sizes.min() == 4
    assert kept.read(np.array([], np.int64))[0].pixels.shape[0] == 0


def test_kept_images_need_no_files(folder):
    kept, _ = verify(tacit.data.open(folder))
    for path in folder.rglob("*.png"):
        path.unlink()
    content, bad = kept.read(np.arange(100))
    assert len(content.pixels) == 100 and not bad


def test_what_does_not_fit_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(checking, "MOST", 5000)
    samples = tacit.data.open(folder)
    assert verify(samples)[0] is samples


def test_one_corrupt_in_a_hundred_is_dropped_and_named(folder):
    spoil(folder, 1)
    samples = tacit.data.open(folder)
    kept, corrupt = verify(samples)
    assert [one.id for one in corrupt] == [samples.ids[5]] and "not an image" in corrupt[0].why
    rest = np.delete(np.arange(100), 5)
    assert kept.ids == [samples.ids[i] for i in rest]
    assert (kept.read(np.arange(99))[0].pixels == samples.read(rest)[0].pixels).all()


def test_two_corrupt_in_a_hundred_stop_the_run(folder):
    spoil(folder, 2)
    samples = tacit.data.open(folder)
    with pytest.raises(TacitError, match=r"2 of 100 samples .*not an image.*more than the 1% allowed") as error:
        verify(samples)
    assert samples.ids[5] in str(error.value) and "tacit inspect" in str(error.value)
    assert len(verify(samples, threshold=0.02)[1]) == 2


def test_one_image_is_too_few(save, tmp_path):
    save("a.png")
    with pytest.raises(TacitError, match="1 sample that can be read"):
        verify(tacit.data.open(tmp_path))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_vectors_that_are_not_finite_are_refused(value):
    values = RNG.normal(size=(600, 3))
    values[300, 1] = values[500, 0] = value
    with pytest.raises(TacitError, match="Row 00300 of the array holds NaN or infinity"):
        verify(tacit.data.open(values))
    with pytest.raises(TacitError, match="Row 00300"):
        verify(
            tacit.data.open((values[:, :2].copy(), RNG.normal(size=(600, 2)))) if value is np.inf else tacit.data.open(values)
        )


def test_clean_arrays_come_back_as_they_are_and_progress_is_told():
    samples, told = tacit.data.open(RNG.normal(size=(600, 3))), []
    assert verify(samples, progress=lambda *done: told.append(done)) == (samples, [])
    assert told == [(256, 600), (512, 600), (600, 600)]


def test_pairs_lose_what_either_part_lacks(save, tmp_path):
    for i in range(4):
        save(f"{i}.png", (i, 0, 0))
    (tmp_path / "1.png").write_text("no")
    values = np.arange(8.0).reshape(4, 2)
    samples = tacit.data.open((tacit.data.open(tmp_path), tacit.data.open(values)))
    kept, corrupt = verify(samples, threshold=0.5)
    assert [one.id for one in corrupt] == ["1.png"]
    content, bad = kept.read(np.arange(3))
    assert (
        not bad and content.second.values[:, 0].tolist() == [0, 4, 6] and content.first.pixels[:, 0, 0, 0].tolist() == [0, 2, 3]
    )
    content, bad = samples.read(np.array([3, 1, 0]))
    assert list(bad) == [1] and content.second.values[:, 0].tolist() == [6, 0]


def test_processes_on_one_machine_share_its_memory(folder, monkeypatch):
    monkeypatch.setattr(checking, "MOST", 20_000)  # the images take about 12 600 bytes
    samples = tacit.data.open(folder)
    assert isinstance(verify(samples)[0], Cached)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert verify(samples)[0] is samples


def test_what_fits_in_part_is_kept_in_part(folder, monkeypatch):
    monkeypatch.setattr(checking, "MOST", 6000)  # of about 12 600 bytes
    monkeypatch.setattr(checking, "CHUNK", 16)
    samples = tacit.data.open(folder)
    kept, _ = verify(samples)
    assert isinstance(kept, Cached) and 0 < len(kept.values) <= 6000
    there = kept.offsets >= 0
    assert there[:16].all() and not there[-16:].any()
    for index in (np.array([99, 0, 98, 7, 42]), np.arange(90, 100), np.arange(5)):
        expected, found = samples.read(index)[0], kept.read(index)[0]
        assert (found.pixels == expected.pixels).all() and (found.sizes == expected.sizes).all()
    lost = kept.take(np.array([99, 0]))  # the first is decoded anew, and its loss is told
    (folder / samples.ids[99]).unlink()
    content, bad = lost.read(np.arange(2))
    assert list(bad) == [0] and len(content.pixels) == 1
