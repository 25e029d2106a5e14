"""Videos as samples: what is read when, folders of them, folders of frames, arrays; trouble is named and counted."""

import numpy as np
import pytest
from PIL import Image

import tacit
from tacit.data.checking import verify
from tacit.data.video import decoding
from tacit.data.video.generated import moving_letters
from tacit.data.video.samples import FrameFolders, VideoFiles, VideoRows, from_videos
from tacit.errors import TacitError
from tests.data.video.encoding import encode, moving, sound


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("videos") / "split"
    for split in ("train", "test"):
        for number, suffix in enumerate((".mp4", ".avi", ".webm")):
            for name in ("bar", "foo"):
                encode(place / split / name / f"v{number}{suffix}", moving(number, n=30 + number))
    (place / "readme.txt").write_text("about")
    return place


def save_frames(folder, clip, name="frame_{}.png", first=1):
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(clip):
        Image.fromarray(pixels).save(folder / name.format(first + i))


def test_a_folder_says_classes_splits_and_what_else_lies_there(folder):
    samples = tacit.open(str(folder))
    assert (samples.kind, len(samples), samples.classes) == ("video", 12, ("bar", "foo"))
    assert sorted(set(samples.splits)) == ["test", "train"] and samples.ids[0] == "test/bar/v0.mp4"
    assert samples.facts() == {
        **{"kind": "video", "shape": [3, 31, 48, 64], "channels": 3},
        **{"length": 31, "height": 48, "width": 64},
    }
    assert samples.path(0) == str(folder / "test/bar/v0.mp4") and samples.ignored == {".txt": 1}
    found = tacit.inspect(str(folder))
    assert found.sizes["largest"] == [32, 48, 64] and "25 a second 12" in str(found) and not found.trouble
    assert found.formats == {"mov/h264": 4, "avi/mpeg4": 4, "matroska/vp8": 4}
    assert (
        found.duplicates >= 3
    )  # the content depends on the number alone, though files of some formats carry an id of their own


def test_a_flat_folder_and_a_single_file(folder):
    flat = tacit.open(str(folder / "train" / "bar"))
    assert len(flat) == 3 and flat.labels is None and flat.splits is None
    one = tacit.open(str(folder / "train/bar/v1.avi"))
    assert one.ids == ["v1.avi"] and one.read(np.array([0]))[0].lengths.tolist() == [31]


def test_reading_decodes_nothing_and_frames_only_what_is_asked_for(folder, monkeypatch):
    samples = tacit.open(str(folder)).take(np.array([2, 0]))
    samples.read(np.arange(2))
    decoded = []
    monkeypatch.setattr(decoding, "decode", lambda packet: decoded.append(packet) or packet.decode())
    content, bad = samples.read(np.arange(2))
    assert not decoded and not bad and content.lengths.tolist() == [32, 30]
    images = content.frames(np.array([[3, 1], [29, 2]]), 24)
    assert images.pixels.shape == (4, 24, 32, 3) and images.sizes.tolist() == [[24, 32]] * 4
    grey = samples.fitted({"channels": 1}).read(np.arange(2))[0].middles(24)
    assert grey.pixels.shape == (2, 24, 32, 1)


def test_broken_ones_are_named_counted_and_skipped_up_to_the_threshold(folder, tmp_path):
    for i in range(120):
        (tmp_path / f"ok{i:03d}.mp4").symlink_to(folder / "train/bar/v0.mp4")
    sound(tmp_path / "sound.mp4")
    good, corrupt = verify(tacit.open(str(tmp_path)))
    assert len(good) == 120 and [(one.id, one.why) for one in corrupt] == [("sound.mp4", "it holds no video stream")]
    (tmp_path / "empty.avi").touch()
    with pytest.raises(TacitError, match=r"2 of 122 samples .*empty.avi: the file is empty; sound.mp4: it holds no"):
        verify(tacit.open(str(tmp_path)))
    assert "sound.mp4: it holds no video stream" in str(tacit.inspect(str(tmp_path)))


def test_nothing_but_broken_ones_is_one_sentence(tmp_path):
    sound(tmp_path / "sound.mp4")
    with pytest.raises(TacitError, match=r"None of the 1 videos tried .*sound.mp4: it holds no video stream"):
        tacit.open(str(tmp_path))


def test_a_file_that_vanishes_is_named(tmp_path):
    samples = tacit.open(str(encode(tmp_path / "a.mp4", moving(n=9))))
    content, _ = samples.read(np.arange(1))
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(TacitError, match=r"a.mp4 could be read when it was opened .*No such file"):
        content.middles(16)


def test_folders_of_frames_are_told_from_images_of_classes(tmp_path):
    for name in ("walk/a", "walk/b", "run/a"):
        save_frames(tmp_path / "frames" / name, moving(len(name), n=12))
        save_frames(tmp_path / "shuffled" / name, moving(len(name), n=12)[np.random.default_rng(0).permutation(12)])
        save_frames(tmp_path / "gaps" / name, moving(len(name), n=12)[::2], "{}0.png")
    samples = tacit.open(str(tmp_path / "frames"))
    assert (samples.kind, samples.ids, samples.classes) == ("video", ["run/a", "walk/a", "walk/b"], ("run", "walk"))
    assert samples.labels.tolist() == [0, 1, 1] and isinstance(samples.store, FrameFolders)
    content, _ = samples.read(np.arange(3))
    shown = content.frames(np.array([[10, 0]] * 3), 48).pixels.numpy()
    assert np.array_equal(shown[2:4], moving(6, n=12)[[10, 0]])  # frame_11 comes after frame_2
    assert tacit.open(str(tmp_path / "frames"), "image").kind == "image"
    assert tacit.open(str(tmp_path / "shuffled")).kind == tacit.open(str(tmp_path / "gaps")).kind == "image"
    assert tacit.open(str(tmp_path / "shuffled"), "video").kind == "video"
    assert "read as" in str(tacit.inspect(str(tmp_path / "frames")))


def test_frames_of_splits_and_of_no_class(tmp_path):
    for name in ("train/a", "train/b", "test/c"):
        save_frames(tmp_path / name, moving(len(name), n=8))
    samples = tacit.open(str(tmp_path))
    assert samples.splits.tolist() == ["test", "train", "train"] and samples.labels is None


def test_frames_that_differ_in_size_are_named(tmp_path):
    save_frames(tmp_path / "a", moving(n=8))
    Image.new("RGB", (9, 9)).save(tmp_path / "a/frame_5.png")
    content, bad = tacit.open(str(tmp_path), "video").read(np.arange(1))
    assert not bad
    with pytest.raises(TacitError, match=r"a could be read .*differ in size"):
        content.frames(np.arange(8)[None], 48)


@pytest.mark.parametrize("shape", [(6, 10, 9, 8), (6, 10, 9, 8, 1), (6, 10, 9, 8, 3)])
def test_arrays(tmp_path, shape):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.savez(tmp_path / "a.npz", x_train=array[:4], x_test=array[4:], y_train=np.arange(4) % 2, y_test=np.arange(2))
    np.save(tmp_path / "a.npy", array)
    samples = tacit.open(str(tmp_path / "a.npz"))
    assert (samples.kind, len(samples), samples.ids[4]) == ("video", 6, "test/00000") and isinstance(samples.store, VideoRows)
    assert samples.labels.tolist() == [0, 1, 0, 1, 0, 1]
    for opened in (samples, tacit.open(array), tacit.open(str(tmp_path / "a.npy"))):
        assert opened.kind == "video"
        shown = opened.read(np.arange(6))[0].frames(np.array([[2, 5]] * 6), 4).pixels.numpy()
        assert np.array_equal(shown, array.reshape(*shape[:4], -1)[:, [2, 5]].reshape(12, 9, 8, -1))
    wide = samples.fitted({"channels": 3}).read(np.arange(2))[0].middles(9)
    assert wide.pixels.shape == (2, 9, 8, 3)
    assert samples.fitted({"channels": 1}).read(np.arange(2))[0].middles(9).pixels.shape == (2, 9, 8, 1)


def test_arrays_that_are_no_videos():
    assert tacit.open(np.zeros((4, 10, 9, 3), np.uint8)).kind == "image"
    with pytest.raises(TacitError, match="move the channels to the end"):
        tacit.open(np.zeros((4, 3, 9, 9), np.uint8))
    with pytest.raises(TacitError, match="videos are N × frames"):
        from_videos(np.zeros((4, 10, 9), np.uint8), "it", list("abcd"))
    with pytest.raises(TacitError, match="videos are N × frames"):
        tacit.open(np.zeros((4, 10, 9, 8)), "video")


def test_statistics_are_of_the_middle_frames():
    array = np.zeros((3, 5, 8, 8, 1), np.uint8)
    array[:, 2] = 51
    found = from_videos(array, "it", list("abc")).statistics()
    assert found["mean"] == pytest.approx([0.2]) and found["std"] == pytest.approx([1 / 255])


def test_generated_videos_are_functions_of_seed_and_row():
    first, again = moving_letters(80), moving_letters(20)
    assert np.array_equal(first.store.values[:20], again.store.values) and first.classes == ("A", "E", "H", "K")
    moved = np.abs(np.diff(first.store.values.astype(int), axis=1)).mean((2, 3, 4))
    assert (moved > 0).all() and not np.array_equal(first.store.values, moving_letters(80, seed=1).store.values)
    with pytest.raises(TacitError, match="99 letters"):
        moving_letters(4, letters=99)


def test_headers_are_read_once(folder, monkeypatch):
    samples = tacit.open(str(folder))
    assert isinstance(samples.store, VideoFiles)
    monkeypatch.setattr(decoding, "header", lambda path: pytest.fail("read again"))
    samples.take(np.array([3])).read(np.array([0]))
