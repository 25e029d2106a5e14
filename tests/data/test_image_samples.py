import sys

import numpy as np
import pytest
from PIL import Image

import tacit.data
from tacit.data.checking import verify
from tacit.data.images import statistics
from tacit.data.inspecting import inspect
from tacit.errors import TacitError


def test_reading_names_what_cannot_be_read(save, tmp_path):
    for i in range(5):
        save(f"{i}.png", (i * 50, 0, 0))
    (tmp_path / "2.png").write_text("no")
    samples = tacit.data.open(tmp_path)
    content, bad = samples.read(np.array([4, 2, 0]))
    assert list(bad) == [2] and "not an image" in bad[2]
    assert content.pixels[:, 0, 0, 0].tolist() == [200, 0]
    nothing, bad = samples.read(np.array([2]))
    assert nothing.pixels.shape[0] == 0 and nothing.sizes.shape == (0, 2) and list(bad) == [2]


def test_taking_keeps_everything_in_step(save, tmp_path):
    for i, name in enumerate(("train/a/0.png", "train/b/1.png", "test/a/2.png")):
        save(name, (i * 50, 0, 0))
    samples = tacit.data.open(tmp_path)
    taken = samples.take(np.array([2, 0]))
    assert taken.ids == ["train/b/1.png", "test/a/2.png"] and taken.labels.tolist() == [1, 0]
    assert taken.splits.tolist() == ["train", "test"] and taken.classes == samples.classes
    assert taken.read(np.arange(2))[0].pixels[:, 0, 0, 0].tolist() == [50, 100]


def test_a_grey_set_has_one_channel_and_a_mixed_one_three(tmp_path):
    Image.new("L", (4, 4), 7).save(tmp_path / "a.png")
    Image.new("LA", (4, 4), (7, 255)).save(tmp_path / "b.png")
    assert tacit.data.open(tmp_path).facts() == {"kind": "image", "shape": [1, 4, 4], "channels": 1}
    assert tacit.data.open(tmp_path).read(np.arange(2))[0].pixels.unique().tolist() == [7]
    Image.new("RGB", (4, 4)).save(tmp_path / "c.png")
    assert tacit.data.open(tmp_path).read(np.arange(3))[0].pixels.shape[3] == 3


def test_facts_give_the_median_of_the_native_sizes(save, tmp_path):
    for i, size in enumerate([(10, 20), (30, 40), (50, 60)]):
        save(f"{i}.png", size=size)
    assert tacit.data.open(tmp_path).facts()["shape"] == [3, 40, 30]


def test_a_side_bounds_what_is_read(save, tmp_path):
    save("a.png", size=(64, 32)), save("b.png", size=(500, 32))
    samples = tacit.data.open(tmp_path)
    assert samples.read(np.arange(2))[0].sizes.tolist() == [[32, 64], [32, 64]]
    assert samples.with_side(8).read(np.arange(2))[0].sizes.tolist() == [[8, 16], [8, 16]]
    assert samples.side == 256
    with pytest.raises(TacitError, match="0 pixels"):
        samples.with_side(0)


def test_arrays_shrink_as_files_do(save, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 90, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        save(f"{i}.png", image)
    files, array = tacit.data.open(tmp_path).with_side(16), tacit.data.open(pixels).with_side(16)
    assert (files.read(np.arange(3))[0].pixels == array.read(np.arange(3))[0].pixels).all()
    grey = tacit.data.open(pixels[..., 0]).with_side(16)
    assert grey.read(np.arange(3))[0].pixels.shape == (3, 16, 32, 1)


def test_taking_arrays_copies_no_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 4, 4), dtype=np.uint8)
    samples = tacit.data.open(pixels)
    taken = samples.take(np.array([7, 3, 5])).take(np.array([2, 0]))
    assert taken.pixels is samples.pixels and taken.ids == ["00005", "00007"]
    assert (taken.read(np.array([1]))[0].pixels.numpy()[0, :, :, 0] == pixels[7]).all()


def test_statistics_are_those_of_the_pixels_without_the_padding(save, tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in [(8, 9), (12, 7), (5, 5)]]
    for i, image in enumerate(images):
        save(f"{i}.png", image)
    flat = np.concatenate([image.reshape(-1, 3) for image in images]) / 255
    found = statistics(tacit.data.open(tmp_path))
    assert np.allclose(found["mean"], flat.mean(0)) and np.allclose(found["std"], flat.std(0))


def test_statistics_of_a_constant_set_and_of_a_sample():
    samples = tacit.data.open(np.full((30, 4, 4), 51, np.uint8))
    assert statistics(samples) == {"mean": [pytest.approx(0.2)], "std": [pytest.approx(1 / 255)]}
    many = tacit.data.open(np.random.default_rng(0).integers(0, 256, (600, 4, 4), dtype=np.uint8))
    assert statistics(many, most=300) == statistics(many, most=300) != statistics(many)


def test_a_large_folder_costs_its_names_and_labels(tmp_path, monkeypatch):
    """Opening must neither open nor stat every file: only the headers of a few hundred are read."""
    (tmp_path / "a").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "a" / "00000.png")
    for i in range(1, 2000):
        (tmp_path / "a" / f"{i:05d}.png").hardlink_to(tmp_path / "a" / "00000.png")
    tried = []
    original = tacit.data.images.header
    monkeypatch.setattr("tacit.data.images.header", lambda path: tried.append(path) or original(path))
    samples = tacit.data.open(tmp_path)
    assert len(samples) == 2000 and len(tried) == 256
    held = sum(map(sys.getsizeof, samples.ids)) + sys.getsizeof(samples.ids) + samples.labels.nbytes
    assert held / 2000 < 100 and samples.splits is None


def test_one_file_is_one_sample(save, tmp_path):
    samples = tacit.data.open(save("deep/one.PNG", (200, 100, 50), size=(8, 6)))
    assert samples.ids == ["one.PNG"] and samples.path(0) == str(tmp_path / "deep" / "one.PNG") and samples.labels is None
    content, bad = samples.read(np.array([0]))
    assert not bad and content.pixels.shape == (1, 6, 8, 3) and content.pixels[0, 0, 0].tolist() == [200, 100, 50]


def test_arrays_change_their_channels_as_pillow_does():
    colour = np.random.default_rng(0).integers(0, 256, (300, 5, 4, 3), np.uint8)
    grey = tacit.data.open(colour).with_channels(1)
    content, _ = grey.read(np.arange(300))
    wanted = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])
    assert (content.pixels[..., 0].numpy() == wanted).all() and grey.facts()["shape"] == [1, 5, 4]
    back = grey.with_channels(3)
    content, _ = back.read(np.array([299, 0]))
    assert back.pixels.base is not None and (content.pixels.numpy() == wanted[[299, 0], :, :, None]).all()


def test_twelve_bits_in_sixteen_have_one_scale(tmp_path):
    for i, most in enumerate((4000, 900)):
        Image.fromarray(np.full((4, 4), most, np.uint16)).save(tmp_path / f"{i}.png")
    samples = tacit.data.open(tmp_path)
    assert samples.facts() == {"kind": "image", "shape": [1, 4, 4], "channels": 1, "bits": 12}
    assert samples.read(np.arange(2))[0].pixels[:, 0, 0, 0].tolist() == [round(v * 255 / 4095) for v in (4000, 900)]
    query = tacit.data.open(tmp_path / "1.png")  # alone it would be taken for 10 bits
    assert query.bits == 10 and query.with_bits(12).read(np.array([0]))[0].pixels.max() == 56


def test_what_is_brighter_than_the_probed_is_counted(tmp_path):
    for i in range(600):
        Image.fromarray(np.full((4, 4), 900, np.uint16)).save(tmp_path / f"{i:03d}.png")
    unprobed = tacit.data.open(tmp_path)
    assert unprobed.bits == 10
    Image.fromarray(np.full((4, 4), 4000, np.uint16)).save(tmp_path / "001.png")  # 000 and 002 are probed
    with pytest.warns(
        UserWarning, match=r"^1 of the 600 images of .* brighter than the 10 bits .* 1,023; .*with_bits\(16\)\.$"
    ):
        verify(unprobed.with_side(3))
    assert unprobed.with_bits(12).clipped == set()
    found = inspect(tmp_path).notes["depth"]
    assert found.endswith("1023 is white, and 1 of the images read in full are brighter")


@pytest.mark.filterwarnings("error")
def test_nothing_is_said_of_what_is_not_clipped(tmp_path):
    for i, most in enumerate((4000, 900)):
        Image.fromarray(np.full((4, 4), most, np.uint16)).save(tmp_path / f"{i}.png")
    verify(tacit.data.open(tmp_path)), verify(tacit.data.open(tmp_path).with_bits(16))
    verify(tacit.data.open(np.full((3, 4, 4), 4000, np.uint16)))
    verify(tacit.data.open(np.full((3, 4, 4), 250, np.uint8)).with_bits(4))


def test_an_array_brighter_than_a_run_learned_is_counted():
    values = np.full((5, 4, 4), 900, np.uint16)
    values[3] = 1024
    pair = tacit.data.open((tacit.data.open(values).with_bits(10), np.arange(5.0)[:, None]))
    with pytest.warns(UserWarning, match="^1 of the 5 images of the array are brighter than the 10 bits"):
        verify(pair)
    with pytest.warns(UserWarning, match="^1 of the 2 images"):
        verify(pair.take(np.array([3, 1])))


def test_an_array_of_sixteen_bits_is_scaled_when_read_and_stays_on_disk(tmp_path):
    values = np.random.default_rng(0).integers(0, 4096, (9, 5, 6), dtype=np.uint16)
    values[0, 0, 0] = 4095
    np.save(tmp_path / "a.npy", values)
    samples = tacit.data.open(tmp_path / "a.npy")
    assert isinstance(samples.pixels.base, np.memmap) and samples.facts()["bits"] == 12
    expected = np.rint(values * (255 / 4095))
    content, _ = samples.take(np.array([8, 2])).read(np.arange(2))
    assert np.abs(content.pixels.numpy()[..., 0] - expected[[8, 2]]).max() == 0
    assert samples.with_channels(3).read(np.array([1]))[0].pixels.shape == (1, 5, 6, 3)
    assert samples.with_side(3).read(np.array([1]))[0].pixels.shape == (1, 3, 4, 1)
    colour = tacit.data.open(np.stack([values] * 3, 3)).with_channels(1)
    assert (colour.read(np.arange(9))[0].pixels.numpy()[..., 0] == expected).all()
    assert samples.with_bits(16).read(np.array([0]))[0].pixels.max() <= 16


def test_bytes_on_disk_stay_there(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (9, 5, 6, 3), dtype=np.uint8))
    assert isinstance(tacit.data.open(tmp_path / "a.npy").pixels, np.memmap)
