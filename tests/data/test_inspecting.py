import json

import numpy as np
from PIL import Image

from tacit.data.inspecting import inspect


def test_a_folder_is_understood(save, tmp_path):
    save("train/a/1.png", size=(10, 20)), save("train/b/2.jpg", size=(30, 30)), save("test/a/3.png", size=(10, 20))
    (tmp_path / "train" / "a" / "bad.jpg").write_text("no")
    (tmp_path / "notes.txt").write_text("")
    found = inspect(tmp_path)
    assert (found.kind, found.count, found.channels, found.looked_at, found.decoded) == ("image", 4, 3, 4, 4)
    assert found.sizes == {"smallest": [20, 10], "median": [20, 10], "largest": [30, 30]}
    assert found.classes == {"a": 3, "b": 1} and found.splits == {"test": 1, "train": 3} and found.unlabelled == 0
    assert found.formats == {"PNG": 2, "JPEG": 1} and found.modes == {"RGB": 3} and found.ignored == {".txt": 1}
    assert [one.id for one in found.trouble] == ["train/a/bad.jpg"] and found.duplicates == 1
    assert found.bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.*g"))
    assert json.loads(json.dumps(found.as_dict()))["trouble"][0]["id"] == "train/a/bad.jpg"
    text = str(found)
    assert "4 images" in text and "bad.jpg: it is not an image" in text and "a 3, b 1" in text


def test_a_truncated_file_shows_only_when_decoded(save, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name in "ab":
        path = save(f"{name}.jpg", pixels)
    path.write_bytes(path.read_bytes()[:-2000])
    found = inspect(tmp_path)
    assert found.formats == {"JPEG": 2} and [one.id for one in found.trouble] == ["b.jpg"]


def test_arrays_and_pairs_are_understood():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 4, 6), dtype=np.uint8)
    pixels[7] = pixels[9]
    found = inspect(pixels)
    assert found.sizes["largest"] == [4, 6] and found.modes == {"uint8": 50} and found.duplicates == 1 and found.bytes == 1200
    values = np.random.default_rng(0).normal(size=(50, 3))
    values[4, 1] = np.nan
    found = inspect(values)
    assert found.kind == "vector" and found.sizes["median"] == [3] and [one.id for one in found.trouble] == ["00004"]
    found = inspect((pixels, values))
    assert (
        found.kind == "pair" and found.count == 50 and found.modes == {"uint8": 50, "float64": 50} and len(found.trouble) == 1
    )
    assert "none declared: by hash of the id" in str(found)


def test_mixed_sizes_modes_and_depths_are_said(save, tmp_path):
    save("a.png", size=(10, 20)), save("b.jpg", size=(30, 30)), save("c.gif", size=(5, 5))
    Image.fromarray(np.full((4, 4), 1000, np.uint16)).save(tmp_path / "d.png")
    found = inspect(tmp_path)
    assert found.modes == {"RGB": 2, "P": 1, "I;16": 1} and found.formats == {"PNG": 2, "JPEG": 1, "GIF": 1}
    assert (
        found.sizes["smallest"] == [4, 4] and found.sizes["largest"] == [30, 30] and found.channels == 3 and not found.trouble
    )
    assert found.notes == {"depth": "16-bit values, 10 bits of them in use: 1023 is white"} and "1023 is white" in str(found)
