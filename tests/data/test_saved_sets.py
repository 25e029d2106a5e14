import json

import numpy as np
import pyarrow as pa
import pytest

import tacit.data
from tacit.errors import TacitError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)
FEATURES = {"image": {"_type": "Image"}, "kind": {"names": ["cat", "dog", "owl"], "_type": "ClassLabel"}}


def saved(folder, png, rows, parts=1):
    """What `save_to_disk` of datasets 5.2 writes, in the fields that are read."""
    folder.mkdir(parents=True)
    names = [f"data-{part:05d}-of-{parts:05d}.arrow" for part in range(parts)]
    for name, some in zip(names, np.array_split(rows, parts)):
        images = pa.array([{"bytes": png(PIXELS[i]), "path": None} for i in some])
        table = pa.table({"image": images, "kind": pa.array([i % 3 - 1 for i in some], pa.int64())})
        with pa.ipc.new_stream(folder / name, table.schema) as stream:
            stream.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names], "_split": None}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def test_a_saved_dataset_in_two_files(png, tmp_path):
    samples = tacit.data.open(saved(tmp_path / "set", png, range(6), 2))
    assert samples.ids == [f"{i:05d}" for i in range(6)] and samples.splits is None
    assert samples.classes == ("cat", "dog", "owl") and samples.labels.tolist() == [-1, 0, 1] * 2
    taken = samples.take(np.array([5, 0, 3]))
    content, bad = taken.read(np.arange(3))
    assert not bad and (content.pixels.numpy() == PIXELS[[5, 0, 3]]).all() and taken.labels.tolist() == [1, -1, -1]
    assert samples.notes["labels"] == "column 'kind'"


def test_a_dict_of_splits(png, tmp_path):
    saved(tmp_path / "train", png, range(4)), saved(tmp_path / "validation", png, range(4, 6))
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "validation"]}))
    samples = tacit.data.open(tmp_path)
    assert samples.splits.tolist() == ["train"] * 4 + ["val"] * 2 and samples.ids[4] == "val/00000"
    assert (samples.split("val").read(np.arange(2))[0].pixels.numpy() == PIXELS[4:]).all()


def test_images_beside_the_table(save, tmp_path):
    save("a.png", PIXELS[0])
    folder = saved(tmp_path / "set", lambda image: None, range(1))
    table = pa.table({"image": pa.array([{"bytes": None, "path": "../a.png"}])})
    with pa.ipc.new_stream(folder / "data-00000-of-00001.arrow", table.schema) as stream:
        stream.write_table(table)
    assert (tacit.data.open(folder).read(np.arange(1))[0].pixels.numpy() == PIXELS[:1]).all()


def test_photos_beside_a_state_of_something_else_are_photos(save, tmp_path):
    save("a.png", PIXELS[0]), save("b.png", PIXELS[1])
    (tmp_path / "state.json").write_text("{}")
    assert tacit.data.open(tmp_path).ids == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({}, "set is a saved dataset that lists nothing; save it again"),
        ({"_data_files": None}, "lists nothing"),
        ({"_data_files": [{}]}, "a saved dataset whose state.json lists a file without its name; save it again"),
        ({"_data_files": ["a.arrow"]}, "lists a file without its name"),
        ([1], "state.json cannot be read"),
    ],
)
def test_a_state_that_lists_no_files_is_said(png, tmp_path, state, says):
    folder = saved(tmp_path / "set", png, range(6))
    (folder / "state.json").write_text(json.dumps(state))
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(folder)
    assert "\n" not in str(error.value)


def test_a_dict_that_lists_nothing_is_said(png, tmp_path):
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": []}))
    with pytest.raises(TacitError, match="a saved DatasetDict that lists nothing"):
        tacit.data.open(tmp_path)


def test_what_is_broken_is_said(png, tmp_path):
    folder = saved(tmp_path / "set", png, range(6))
    arrow = folder / "data-00000-of-00001.arrow"
    whole = arrow.read_bytes()
    for content in (b"", whole[: len(whole) // 2]):
        arrow.write_bytes(content)
        with pytest.raises(TacitError, match=r"data-00000-of-00001.arrow cannot be read \(.*\); save the dataset again"):
            tacit.data.open(folder)
    arrow.unlink()
    with pytest.raises(TacitError, match="cannot be read"):
        tacit.data.open(folder)
    (folder / "state.json").write_text(json.dumps({"_indices_data_files": [1]}))
    with pytest.raises(TacitError, match="an index apart"):
        tacit.data.open(folder)
    (folder / "state.json").write_text("{")
    with pytest.raises(TacitError, match=r"state\.json cannot be read"):
        tacit.data.open(folder)
