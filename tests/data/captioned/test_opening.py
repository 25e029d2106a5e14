"""Images with captions: lists, several captions, arrays, shards, and what is wrong of them."""

import io
import json
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import tacit
from tacit.data.checking import verify
from tacit.data.inspecting import inspect
from tacit.data.opening import open as open_source
from tacit.data.pairs import Pairs
from tacit.errors import TacitError
from tacit.material import fit_views, measured, sizes
from tacit.views import Program
from tacit.views.kinds import Paired, Plain

WORDS = "a red square", "a blue circle on white", "green stripes", "a yellow star", "two black dots"


def picture(value=0):
    file = io.BytesIO()
    Image.new("RGB", (12, 10), (value % 256, 3 * value % 256, 90)).save(file, "PNG")
    return file.getvalue()


def photos(folder, n=5):
    (folder / "photos").mkdir()
    for i in range(n):
        (folder / "photos" / f"{i}.png").write_bytes(picture(40 * i))


def words(pairs):
    return [pairs.second.texts.said(pairs.second.rows(np.array([i]))[0]) for i in range(len(pairs))]


def rows(n=5):
    return [(f"photos/{i}.png", WORDS[i % 5]) for i in range(n)]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_list_of_paths_and_captions(tmp_path, suffix):
    photos(tmp_path)
    file = tmp_path / f"list.{suffix}"
    if suffix == "jsonl":
        file.write_text("".join(json.dumps({"image": path, "caption": text}) + "\n" for path, text in rows()))
    elif suffix == "parquet":
        pq.write_table(pa.table({"image": [path for path, _ in rows()], "caption": [text for _, text in rows()]}), file)
    else:
        mark = {"csv": ",", "tsv": "\t"}[suffix]
        file.write_text(f"image{mark}caption\n" + "".join(f"{path}{mark}{text}\n" for path, text in rows()))
    pairs = open_source(file)
    assert isinstance(pairs, Pairs) and pairs.kind == "pair" and pairs.ids == [path for path, _ in rows()]
    assert words(pairs) == [[text] for text in WORDS]
    (images, captions), bad = pairs.read(np.array([3, 1]))
    assert not bad and images.pixels[0, 0, 0].tolist() == [120, 104, 90] and len(captions.offsets) == 3
    assert suffix == "jsonl" or open_source(file, "image").kind == "image"
    assert pairs.path(0) == str(tmp_path / "photos/0.png")


def test_several_captions_of_an_image_however_they_are_written(tmp_path):
    photos(tmp_path, 3)
    by_row = tmp_path / "rows.csv"
    by_row.write_text(
        "path,caption,split\n" + "".join(f"photos/{i}.png,{WORDS[k]} {k},train\n" for k in range(2) for i in range(3))
    )
    by_column = tmp_path / "columns.csv"
    by_column.write_text(
        "path,caption_0,caption_1\n" + "".join(f"photos/{i}.png,{WORDS[0]} 0,{WORDS[1]} 1\n" for i in range(3))
    )
    in_cells = tmp_path / "cells.jsonl"
    in_cells.write_text(
        "".join(
            json.dumps({"path": f"photos/{i}.png", "captions": [f"{WORDS[0]} 0", f"{WORDS[1]} 1"]}) + "\n" for i in range(3)
        )
    )
    for file in (by_row, by_column, in_cells):
        pairs = open_source(file)
        assert len(pairs) == 3 and words(pairs) == [[f"{WORDS[0]} 0", f"{WORDS[1]} 1"]] * 3
    assert words(pairs.take(np.array([2, 0]))) == [[f"{WORDS[0]} 0", f"{WORDS[1]} 1"]] * 2


def test_each_look_draws_one_caption_and_the_plain_one_shows_the_first(tmp_path):
    photos(tmp_path, 1)
    (tmp_path / "many.csv").write_text("path,caption\n" + "".join(f"photos/0.png,word{k}\n" for k in range(4)))
    pairs = open_source(tmp_path / "many.csv")
    pairs = pairs.take(np.zeros(400, np.int64))
    facts = measured(pairs, sizes(pairs, None, "cpu"))
    views, index = fit_views(facts, {"second": {"crop": [1.0, 1.0], "drop": 0.0}}), np.arange(400)
    content, _ = pairs.read(index)
    said = views.second.lexicon.said
    (_, drawn), _ = Program(Paired(), views)(content, index, 1)
    found, counts = np.unique(said(drawn), return_counts=True)
    assert found.tolist() == [f"word{k}" for k in range(4)] and counts.min() > 70
    (_, again), _ = Program(Paired(), views)(content, index, 1)
    (_, other), _ = Program(Paired(), views)(content, index, 2)
    assert torch.equal(drawn, again) and not torch.equal(drawn, other)
    few, _ = pairs.read(index[7:9])
    (_, alone), _ = Program(Paired(), views)(few, index[7:9], 1)
    assert torch.equal(alone, drawn[7:9])  # whatever batch it is in
    (_, plain), _ = Program(Plain(), views)(content, index, 1)
    assert {*said(plain)} == {"word0"}


def test_what_a_method_wishes_of_a_kind_yields_to_the_user(tmp_path):
    photos(tmp_path)
    (tmp_path / "list.csv").write_text("path,caption\n" + "".join(f"{path},{text}\n" for path, text in rows()))
    pairs = open_source(tmp_path / "list.csv")
    facts, index = measured(pairs, sizes(pairs, None, "cpu")), np.arange(5)
    wished = Paired(of={"pair": {"image": {"flip": 1.0, "blur": 1.0}, "text": {"crop": (1.0, 1.0), "drop": 0.0}}})
    for given, flips in (({}, 5), ({"first": {"flip": 0.0}}, 0)):
        views = fit_views(facts, given)
        (_, text), params = Program(wished, views)(pairs.read(index)[0], index, 0)
        assert int(params[0]["flip"].sum()) == flips and not params[0]["sigma"].any()  # no blur on small images
        assert views.second.lexicon.said(text) == list(WORDS)
    with pytest.raises(TacitError, match="first is 3"):
        fit_views(facts, {"first": 3})
    assert fit_views(facts, {"first": {"size": 8}}).shape[0] == (3, 8, 8)


def test_images_in_a_parquet_and_a_list_without_a_header(tmp_path):
    photos(tmp_path)
    images = [{"bytes": picture(i), "path": None} for i in range(5)]
    pq.write_table(pa.table({"image": images, "text": list(WORDS)}), tmp_path / "train.parquet")
    pairs = open_source(tmp_path / "train.parquet")
    assert isinstance(pairs, Pairs) and words(pairs)[4] == [WORDS[4]] and not pairs.read(np.arange(5))[1]
    (tmp_path / "plain.csv").write_text("".join(f"{path},{text}\n" for path, text in rows()))
    assert words(open_source(tmp_path / "plain.csv")) == [[text] for text in WORDS]


def test_a_folder_with_a_list_labels_and_splits(tmp_path):
    photos(tmp_path, 6)
    lines = [
        {"image": f"{i}.png", "caption": WORDS[i % 5], "category": "ab"[i % 2], "split": "test" if i > 3 else "train"}
        for i in range(5)
    ]
    (tmp_path / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    pairs = open_source(tmp_path)  # paths are below photos/, beside the list
    assert pairs.classes == ("a", "b") and pairs.labels.tolist() == [0, 1, 0, 1, 0, -1]
    assert pairs.splits.tolist() == ["train"] * 4 + ["test", "train"]
    _, bad = pairs.read(np.arange(6))
    assert bad == {5: "no row of captions.jsonl names it"} and pairs.ids[5] == "5.png"


def test_an_array_with_a_list_beside_it(tmp_path):
    np.savez(tmp_path / "images.npz", images=np.zeros((4, 8, 8, 3), np.uint8), other=np.arange(4))
    lines = [{"index": i, "caption": WORDS[i], "split": "train"} for i in (0, 2, 1)] + [
        {"index": 9, "caption": "lost", "split": "test"}
    ]
    (tmp_path / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    pairs = open_source(tmp_path)
    assert pairs.ids == ["00000", "00002", "00001", "00009", "00003"] and words(pairs)[1] == [WORDS[2]]
    _, bad = pairs.read(np.arange(5))
    assert bad == {3: "images.npz has no image 9: it holds 4", 4: "no row of captions.jsonl names it"}


def shard(file, members):
    with tarfile.open(file, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_shards_with_texts_or_json(tmp_path):
    members = [one for i in range(4) for one in ((f"{i:04}.png", picture(i)), (f"{i:04}.txt", WORDS[i].encode()))]
    shard(tmp_path / "a-000.tar", [*members, ("0009.png", picture(9)), ("0010.txt", b"a caption without an image")])
    both = [(f"{i:04}.json", json.dumps({"caption": WORDS[i], "width": 3}).encode()) for i in range(4)]
    shard(tmp_path / "b-000.tar", [one for i in range(4) for one in ((f"{i:04}.png", picture(i)), both[i])])
    pairs = open_source(tmp_path / "a-000.tar")
    assert words(pairs)[:4] == [[text] for text in WORDS[:4]]
    _, bad = pairs.read(np.arange(6))
    assert bad == {4: "a-000.tar holds no 0009.txt", 5: "a-000.tar holds its caption and no image"}
    assert pairs.ids[5] == "a-000/0010" and open_source(tmp_path / "a-000.tar", "image").kind == "image"
    assert words(open_source(tmp_path / "b-000.tar")) == [[text] for text in WORDS[:4]]
    shard(tmp_path / "c.tar", [*members, *both])  # as img2dataset writes: the same caption in both
    assert words(open_source(tmp_path / "c.tar")) == [[text] for text in WORDS[:4]]
    shard(tmp_path / "d.tar", [(f"{i:04}.png", picture(i)) for i in range(4)])
    assert open_source(tmp_path / "d.tar").kind == "image"


def test_what_is_wrong_is_named_counted_and_skipped_up_to_the_threshold(tmp_path):
    photos(tmp_path, 3)
    many = [
        ("photos/0.png", "one"),
        ("photos/0.png", ""),
        ("photos/1.png", ""),
        ("photos/gone.png", "lost"),
        ("photos/2.png", "two"),
    ]
    (tmp_path / "list.csv").write_text("path,caption\n" + "".join(f"{path},{text}\n" for path, text in many))
    pairs = open_source(tmp_path / "list.csv")
    _, bad = pairs.read(np.arange(4))
    assert bad == {1: "it has no caption", 2: "No such file or directory"}
    assert dict(pairs.ignored) == {"empty captions beside others": 1}
    found = inspect(str(tmp_path / "list.csv"))
    assert [(one.id, one.why) for one in found.trouble] == [
        ("photos/1.png", "it has no caption"),
        ("photos/gone.png", "No such file or directory"),
    ]
    with pytest.raises(TacitError, match=r"2 of 4 samples .*photos/1.png: it has no caption; photos/gone.png: No such file"):
        verify(pairs)
    good, corrupt = verify(pairs, threshold=0.6)
    assert len(good) == 2 and [one.id for one in corrupt] == ["photos/1.png", "photos/gone.png"]
    assert words(good) == [["one"], ["two"]] and not good.read(np.arange(2))[1]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("path,caption\nphotos/0.png,\nphotos/1.png,\n", "no caption"),
        ("path,caption,split\nphotos/0.png,one,train\nphotos/1.png,two,nowhere\n", "holds 'nowhere' in row 2"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(tmp_path, written, said):
    photos(tmp_path, 2)
    (tmp_path / "list.csv").write_text(written)
    with pytest.raises(TacitError, match=said):
        open_source(tmp_path / "list.csv", "pair")


def test_in_memory():
    images = np.zeros((3, 8, 8, 3), np.uint8)
    assert words(tacit.open((images, ["one", "two", "three"]))) == [["one"], ["two"], ["three"]]
    assert words(tacit.open((images, [["one", "uno"], ["two"], ["three"]])))[0] == ["one", "uno"]
    with pytest.raises(TacitError, match="3 images came with 2 captions"):
        tacit.open((images, ["one", "two"]))
