import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tacit.data
from tacit.data.inspecting import inspect
from tacit.errors import TacitError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)


@pytest.fixture
def photos(save, tmp_path):
    for i, image in enumerate(PIXELS):
        save(f"photos/{i}.png", image)
    return tmp_path


def read(samples):
    content, bad = samples.read(np.arange(len(samples)))
    assert not bad
    return content.pixels.numpy()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_with_labels_and_splits(photos, separator):
    rows = [("size", "file", "Label", "split")] + [
        (i, f"photos/{i}.png", "ba"[i % 2], ["train", "VALID"][i // 4]) for i in range(6)
    ]
    path = photos / "list.csv"
    path.write_text("\ufeff" + "\n".join(separator.join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    samples = tacit.data.open(path)
    assert samples.ids[0] == "photos/0.png" and samples.path(3) == str(photos / "photos" / "3.png")
    assert samples.classes == ("a", "b") and samples.labels.tolist() == [1, 0] * 3
    assert samples.splits.tolist() == ["train"] * 4 + ["val"] * 2 and (read(samples) == PIXELS).all()
    assert (read(samples.split("val").take(np.array([1]))) == PIXELS[[5]]).all()
    said = str(inspect(path))
    assert "column 'file' of size, file, Label, split" in said and "column 'Label'" in said and "column 'split'" in said


def test_numbers_as_labels_sort_as_numbers_and_may_be_missing(photos):
    path = photos / "list.csv"
    path.write_text("path,label\nphotos/0.png,10\nphotos/1.png,9\nphotos/2.png,\n")
    samples = tacit.data.open(path)
    assert samples.classes == ("9", "10") and samples.labels.tolist() == [1, 0, -1]


def test_what_differs_as_text_is_two_classes(photos):
    path = photos / "list.csv"
    path.write_text("path,label\nphotos/0.png,01\nphotos/1.png,1\nphotos/2.png,\n")
    samples = tacit.data.open(path)
    assert samples.classes == ("01", "1") and samples.labels.tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    ("cells", "classes", "labels"),
    [
        (pa.array([2**53, 2**53 + 1, None]), (str(2**53), str(2**53 + 1)), [0, 1, -1]),
        (pa.array([2**63 - 1, 0, 2**63 - 2], pa.uint64()), ("0", str(2**63 - 2), str(2**63 - 1)), [2, 0, 1]),
        (pa.array([True, None, False]), ("0", "1"), [1, -1, 0]),
        (pa.array([3, None, 2], pa.int8()).dictionary_encode(), ("2", "3"), [1, -1, 0]),
        (pa.array([1.0, np.nan, None]), ("1",), [0, -1, -1]),
        (pa.array([None, None, None], pa.int32()), (), [-1, -1, -1]),
    ],
)
def test_whole_numbers_are_classes_to_the_last_digit(photos, cells, classes, labels):
    pq.write_table(pa.table({"path": [f"photos/{i}.png" for i in range(3)], "label": cells}), photos / "l.parquet")
    samples = tacit.data.open(photos / "l.parquet")
    assert samples.classes == classes and samples.labels.tolist() == labels


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", [np.inf, -np.inf, 0.5, 2.0**53, 1e300])
def test_floats_that_are_not_all_whole_are_no_labels(photos, odd):
    pq.write_table(pa.table({"path": ["photos/0.png", "photos/1.png"], "label": [1.0, odd]}), photos / "l.parquet")
    samples = tacit.data.open(photos / "l.parquet")
    assert samples.labels is None and "labels" not in samples.notes


def test_labels_that_do_not_fit_are_said(photos):
    cells = pa.array([2**64 - 1], pa.uint64())
    pq.write_table(pa.table({"path": ["photos/0.png"], "label": cells}), photos / "l.parquet")
    with pytest.raises(TacitError, match=r"Column 'label' of .*l.parquet is too large for a label"):
        tacit.data.open(photos / "l.parquet")


def test_files_whose_columns_differ_in_type_are_said(photos):
    (photos / "set").mkdir()
    for name, label in (("a", "cat"), ("b", 1)):
        pq.write_table(pa.table({"path": ["photos/0.png"], "label": [label]}), photos / "set" / f"{name}.parquet")
    with pytest.raises(TacitError, match=r"differ in their columns .*; give them one by one") as error:
        tacit.data.open(photos / "set")
    assert "\n" not in str(error.value)


def test_a_list_without_a_header_with_absolute_paths_and_repeats(photos):
    path = photos / "list.tsv"
    path.write_text("".join(f"{photos}/photos/{i}.png\t{i}\n" for i in (0, 1, 0)))
    samples = tacit.data.open(path)
    assert len(samples) == 2 and (read(samples) == PIXELS[:2]).all() and samples.labels is None
    assert samples.ignored == {"rows that repeat a path": 1} and "'column 1'" in samples.notes["images"]


def test_a_parquet_list_and_missing_files(photos):
    pq.write_table(pa.table({"path": ["photos/0.png", "gone.png", None], "label": [1.0, None, 0.0]}), photos / "l.parquet")
    samples = tacit.data.open(photos / "l.parquet")
    assert samples.labels.tolist() == [1, -1, 0] and samples.ids == ["photos/0.png", "gone.png", "row 2"]
    bad = samples.read(np.arange(3))[1]
    assert list(bad) == [1, 2] and "No such file" in bad[1]
    assert [one.id for one in inspect(photos / "l.parquet").trouble] == ["gone.png", "row 2"]


def test_embedded_images_of_the_hub(png, tmp_path):
    features = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    said = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    for split, rows in (("train", range(4)), ("test", range(4, 6))):
        images = pa.array([{"bytes": png(PIXELS[i]), "path": None} for i in rows])
        table = pa.table({"image": images, "label": [i % 2 for i in rows], "boxes": [[1, 2]] * len(rows)})
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(table.replace_schema_metadata(said), tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    samples = tacit.data.open(tmp_path)
    assert samples.classes == ("cat", "dog") and samples.ids[0] == "test/00000" and samples.ids[-1] == "train/00003"
    assert (read(samples.split("train")) == PIXELS[:4]).all() and (read(samples.split("test")) == PIXELS[4:]).all()
    assert samples.split("test").labels.tolist() == [0, 1] and samples.path(0) is None
    assert (read(samples.with_channels(1)).shape, read(samples.with_side(3)).shape) == ((6, 5, 7, 1), (6, 3, 4, 3))
    one = tacit.data.open(tmp_path / "data" / "train-00000-of-00001.parquet")
    assert one.ids[0] == "00000" and one.splits is None


def test_plain_binary_columns_and_empty_cells(png, tmp_path):
    pq.write_table(pa.table({"n": [1.5, 2.5], "target": [0.5, 1.5], "jpg": [png(PIXELS[0]), None]}), tmp_path / "a.parquet")
    samples = tacit.data.open(tmp_path / "a.parquet")
    assert samples.labels is None and samples.read(np.arange(2))[1] == {1: "its row holds no image"}


def test_what_does_not_fit_into_memory_is_refused(photos, monkeypatch):
    pq.write_table(pa.table({"path": ["photos/0.png"]}), photos / "l.parquet")
    monkeypatch.setattr("tacit.data.image_lists.free_memory", lambda: 3)
    with pytest.raises(TacitError, match="GiB free; save it with `save_to_disk`"):
        tacit.data.open(photos / "l.parquet")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lists nothing"),
        ("path,label\n", "lists nothing"),
        ("path,label\na.png,1,2\n", "3 columns in row 1 and 2 in the header"),
        ("path,path\na.png,1\n", "two columns of one name"),
        ("path,split\na.png,other\n", "holds 'other'; write train, val or test"),
        ("path\na.png\n", "None of the 1 images tried"),
    ],
)
def test_bad_lists_are_answered_with_one_sentence(tmp_path, text, says):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(tmp_path / "list.csv")
    assert "list.csv" in str(error.value) and "\n" not in str(error.value)


def test_no_text_and_no_parquet(tmp_path):
    for name, says in (("a.csv", "no list in UTF-8"), ("a.parquet", "no readable Parquet")):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00junk")
        with pytest.raises(TacitError, match=says):
            tacit.data.open(tmp_path / name)


def test_a_list_without_images_is_a_table_unless_it_is_said_to_list_images(tmp_path):
    (tmp_path / "list.csv").write_text("name,age\nann,3\n")
    assert tacit.data.open(tmp_path / "list.csv").kind == "table"
    with pytest.raises(TacitError, match=r"columns name \(string\), age \(string\) and none of images"):
        tacit.data.open(tmp_path / "list.csv", "image")
