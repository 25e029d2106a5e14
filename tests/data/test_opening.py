import zipfile

import numpy as np
import pytest

import tacit.data
from tacit.data.arrays import from_npz
from tacit.data.samples import Parts
from tacit.errors import TacitError

RNG = np.random.default_rng(0)


def images(n, *shape):
    return RNG.integers(0, 256, (n, *shape), dtype=np.uint8)


def archive(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_a_flat_folder_has_no_labels_and_a_stable_order(save, tmp_path):
    for name in ("b.png", "a.jpg", ".hidden.png", "notes.txt", "c.PNG"):
        save(name) if name.endswith(("g", "G")) else (tmp_path / name).write_text("")
    samples = tacit.data.open(tmp_path)
    assert samples.kind == "image" and samples.ids == ["a.jpg", "b.png", "c.PNG"]
    assert samples.labels is None and samples.splits is None and samples.classes == ()
    assert samples.ignored == {".*": 1, ".txt": 1}
    assert samples.path(1) == str(tmp_path / "b.png")


def test_class_folders_give_labels(save, tmp_path):
    for name in ("dog/2.png", "cat/1.png", "cat/deeper/3.png", "loose.png"):
        save(name)
    samples = tacit.data.open(str(tmp_path))
    assert samples.ids == ["cat/1.png", "cat/deeper/3.png", "dog/2.png", "loose.png"]
    assert samples.classes == ("cat", "dog") and samples.labels.tolist() == [0, 0, 1, -1]


def test_split_folders_with_synonyms(save, tmp_path):
    for name in ("train/b/1.png", "train/a/2.png", "validation/a/3.png", "test/b/4.png"):
        save(name)
    samples = tacit.data.open(tmp_path)
    assert dict(zip(samples.ids, samples.splits.tolist())) == {
        "test/b/4.png": "test",
        "train/a/2.png": "train",
        "train/b/1.png": "train",
        "validation/a/3.png": "val",
    }
    assert samples.labels.tolist() == [1, 0, 1, 0]
    assert samples.split("train").ids == ["train/a/2.png", "train/b/1.png"]


def test_splits_without_classes_and_with_things_beside_them(save, tmp_path):
    for name in ("train/1.png", "test/2.png", "figures/3.png"):
        save(name)
    samples = tacit.data.open(tmp_path)
    assert samples.ids == ["test/2.png", "train/1.png"] and samples.labels is None
    assert samples.ignored == {"outside of the splits": 1}


def test_a_class_called_train_is_a_class(save, tmp_path):
    for name in ("train/1.png", "plane/2.png"):
        save(name)
    assert tacit.data.open(tmp_path).classes == ("plane", "train")


def test_links_in_a_circle_end(save, tmp_path):
    save("a/1.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert tacit.data.open(tmp_path).ids == ["a/1.png"]


def test_npz_with_splits(tmp_path):
    x, t = images(5, 4, 4, 3), images(2, 4, 4, 3)
    path = archive(tmp_path / "a.npz", x_train=x, y_train=np.array([3, 1, 1, 3, 7]), x_test=t, y_test=np.array([[1], [7]]))
    samples = tacit.data.open(path)
    assert samples.ids[0] == "train/00000" and samples.ids[-1] == "test/00001"
    assert samples.classes == ("1", "3", "7") and samples.labels.tolist() == [1, 0, 0, 1, 2, 0, 2]
    assert samples.splits.tolist() == ["train"] * 5 + ["test"] * 2
    content, bad = samples.read(np.array([6, 0]))
    assert not bad and (content.pixels.numpy() == [t[1], x[0]]).all() and content.sizes.tolist() == [[4, 4], [4, 4]]


def test_npz_without_splits_and_with_names(tmp_path):
    path = archive(tmp_path / "a.npz", x=images(3, 4, 5), y=np.array([1, -1, 0]), classes=np.array(["no", "yes"]))
    samples = tacit.data.open(path)
    assert samples.classes == ("no", "yes") and samples.labels.tolist() == [1, -1, 0] and samples.splits is None
    assert samples.facts() == {"kind": "image", "shape": [1, 4, 5], "channels": 1} and samples.ids[2] == "00002"
    named = tacit.data.open(archive(tmp_path / "b.npz", x=images(3, 4, 5), y=np.array(["b", "", "a"])))
    assert named.classes == ("a", "b") and named.labels.tolist() == [1, -1, 0]


def test_a_split_without_labels_is_unlabelled(tmp_path):
    path = archive(tmp_path / "a.npz", x_train=images(2, 4, 4), x_val=images(1, 4, 4), y_val=np.array([5]))
    assert tacit.data.open(path).labels.tolist() == [-1, -1, 0]


def test_vectors_from_npy_stay_on_disk(tmp_path):
    values = RNG.normal(size=(6, 3))
    np.save(tmp_path / "a.npy", values)
    samples = tacit.data.open(tmp_path / "a.npy")
    assert samples.kind == "vector" and samples.facts()["shape"] == [3] and isinstance(samples.values, np.memmap)
    taken = samples.take(np.array([4, 2])).take(np.array([1]))
    assert taken.ids == ["00002"] and np.allclose(taken.read(np.array([0]))[0].values, values[[2]])


def test_arrays_in_memory_and_what_as_changes():
    pixels = images(4, 5, 6, 3)
    assert tacit.data.open(pixels).kind == "image"
    flat = tacit.data.open(pixels, "vector")
    assert flat.kind == "vector" and (flat.read(np.arange(4))[0].values.numpy() == pixels.reshape(4, -1)).all()
    assert tacit.data.open(flat) is flat


def test_a_tuple_of_arrays_is_pairs():
    samples = tacit.data.open((images(4, 5, 6), RNG.normal(size=(4, 2))))
    assert samples.kind == "pair" and samples.facts()["second"] == {"kind": "vector", "shape": [2]}
    content, _ = samples.take(np.array([3, 1])).read(np.array([0]))
    assert isinstance(content, Parts) and (content.first.pixels.numpy()[0, :, :, 0] == samples.first.pixels[3, :, :, 0]).all()


@pytest.mark.parametrize("high", [1, 255])
def test_float_images_are_told_by_their_range(high):
    pixels = images(4, 5, 6, 3)
    pixels[0, 0, 0] = 255
    samples = tacit.data.open((pixels / 255 * high).astype(np.float32))
    assert (samples.pixels == pixels).all() and samples.pixels.dtype == np.uint8


def test_booleans_and_other_integers_and_alpha():
    assert np.unique(tacit.data.open(images(4, 5, 6) > 99).pixels).tolist() == [0, 255]
    pixels = images(4, 5, 6, 3)
    assert (tacit.data.open(pixels.astype(np.int64)).pixels == pixels).all()
    alpha = np.concatenate([pixels, np.full((4, 5, 6, 1), 255, np.uint8)], 3)
    alpha[0, ..., 3] = 0
    opened = tacit.data.open(alpha).pixels
    assert (opened[1:] == pixels[1:]).all() and (opened[0] == 255).all()


def one_sentence(error):
    text = str(error.value)
    return text.endswith((".", "?", ".)")) and "\n" not in text


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("missing", None, "There is no"),
        (images(3, 4, 4), "imgae", "did you mean 'image'"),
        (np.array([{}, {}]), None, "array of object"),
        (np.array(["a", "b"]), None, "give numbers"),
        (RNG.normal(size=5), None, "shape"),
        (RNG.normal(size=(5, 4)), "image", "height × width"),
        (RNG.normal(size=(5, 4)), "pair", "two parts"),
        (images(3, 3, 8, 8), None, "move the channels to the end"),
        (images(0, 8, 8), None, "0 rows"),
        (RNG.normal(size=(5, 4, 4)), None, "not yet normalised"),
        (np.full((5, 4, 4), np.nan), None, "Row 0 of the array holds NaN"),
        ((images(3, 8, 8), images(4, 8, 8)), None, "3 and 4 samples"),
        ((images(3, 8, 8),), None, "tuple of 1"),
        ([1, 2], None, "list cannot be opened"),
        ("", None, "The path is empty"),
        (np.zeros((3, 0, 4, 3), np.uint8), None, r"shape \(3, 0, 4, 3\), which holds no numbers"),
        (np.zeros((3, 0)), None, r"shape \(3, 0\), which holds no numbers"),
        (np.zeros((3, 4, 0), np.uint8), "vector", "no axis of length 0"),
    ],
)
def test_bad_input_is_answered_with_one_sentence(source, kind, says):
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(source, kind)
    assert one_sentence(error)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"data": np.zeros(3)}, "holds data; name the samples"),
        ({"x": np.array([{}, 1], dtype=object)}, "only pickle can load"),
        ({"x": images(3, 4, 4), "y": np.zeros(2, int)}, "3 rows and its y has 2"),
        ({"x": images(3, 4, 4), "y": np.array(1)}, "3 rows and its y is a single int64; give one label per row"),
        ({"x": images(3, 4, 4), "y": np.zeros(3)}, "whole number or one name"),
        ({"x_train": images(3, 4, 4), "x_test": np.zeros((3, 4, 4))}, "mixes arrays of uint8 and float64"),
        ({"x_train": images(3, 4, 4), "x_test": images(3, 5, 4)}, r"\(3, 4, 4\) and \(3, 5, 4\)"),
        (
            {"x": images(3, 4, 4), "y": np.array([0, 1, 2]), "classes": np.array(["a", "b"])},
            "names 2 classes and has a label 2",
        ),
    ],
)
def test_bad_archives_are_answered_with_one_sentence(tmp_path, arrays, says):
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(archive(tmp_path / "a.npz", **arrays))
    assert one_sentence(error)


def test_files_that_are_not_what_they_are_called(tmp_path):
    for name in ("a.npz", "a.npy", "a.csv"):
        (tmp_path / name).write_text("1,2,3")
        with pytest.raises(TacitError, match=name) as error:
            tacit.data.open(tmp_path / name)
        assert one_sentence(error)
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(TacitError, match="pickle"):
        tacit.data.open(tmp_path / "o.npy")


def test_an_archive_larger_than_memory_is_not_unpacked(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.npz", x=images(3, 4, 4))
    with zipfile.ZipFile(path) as packed:
        size = packed.infolist()[0].file_size
    monkeypatch.setattr("tacit.data.arrays.free_memory", lambda: size - 1)
    with pytest.raises(TacitError, match="GiB free"):
        from_npz(path, "a.npz")


def test_empty_and_imageless_folders(tmp_path, save):
    with pytest.raises(TacitError, match="is empty"):
        tacit.data.open(tmp_path)
    (tmp_path / "a.md").write_text("")
    with pytest.raises(TacitError, match=r"1 files \(.md\) and no image") as error:
        tacit.data.open(tmp_path)
    assert one_sentence(error)
    (tmp_path / "a.jpg").write_text("")
    with pytest.raises(TacitError, match="None of the 1 images"):
        tacit.data.open(tmp_path)
    save("b.png")
    with pytest.raises(TacitError, match="images and was to be opened as vector") as error:
        tacit.data.open(tmp_path, "vector")
    assert one_sentence(error)


def test_a_near_miss_of_a_path_is_named(tmp_path, save):
    save("birds/1.png")
    with pytest.raises(TacitError, match=r"did you mean .*birds"):
        tacit.data.open(tmp_path / "brids")


def test_a_folder_that_holds_one_file_is_that_file(tmp_path):
    pixels = images(3, 4, 4, 3)
    (tmp_path / "README.md").write_text("where it is from")
    archive(tmp_path / "a.npz", x=pixels)
    assert (tacit.data.open(tmp_path).pixels == pixels).all() and tacit.data.open(tmp_path).source == str(tmp_path)
    archive(tmp_path / "b.npz", x=pixels)
    with pytest.raises(TacitError, match=r"holds no image but a.npz, b.npz; give one of these files") as error:
        tacit.data.open(tmp_path)
    assert one_sentence(error)


def test_hidden_images_do_not_hide_an_array(save, tmp_path):
    pixels = images(3, 4, 4, 3)
    save(".thumbs/x.png")
    np.save(tmp_path / "img.npy", pixels)
    (tmp_path / ".cache").mkdir()
    np.save(tmp_path / ".cache" / "other.npy", pixels[:2])
    np.save(tmp_path / "._img.npy", pixels[:2])
    assert (tacit.data.open(tmp_path).pixels == pixels).all()


def test_linked_images_come_before_an_array(save, tmp_path):
    save("elsewhere/a.png"), save("elsewhere/b.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "photos").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "up").symlink_to(tmp_path / "set")
    np.save(tmp_path / "set" / "extra.npy", images(3, 4, 4, 3))
    assert tacit.data.open(tmp_path / "set").ids == ["photos/a.png", "photos/b.png"]


def test_images_come_before_the_lists_beside_them(save, tmp_path):
    save("a/1.png"), save("a/2.png")
    (tmp_path / "metadata.csv").write_text("file_name,label\na/1.png,x\n")
    assert len(tacit.data.open(tmp_path)) == 2 and tacit.data.open(tmp_path / "metadata.csv").classes == ("x",)
