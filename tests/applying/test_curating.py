"""`tacit.curate` from a table to a manifest, and the manifest as a source."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import tacit
from tacit.data.generated import tiny_images
from tacit.data.generated import write as write_images
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.rows import Rows
from tacit.embeddings.sheet import thumbnail
from tacit.embeddings.write import write
from tacit.errors import TacitError
from tacit.numerics.exact import unit

DIM = 12


def table(place: Path, vectors, *, similarity="cosine", splits=None, labels=None, paths=None, thumbnails=None, **made):
    n = len(vectors)
    provenance = Provenance(
        "runs/one", "ab" * 32, "dense", similarity, DIM, made.get("kind", "image"), "0.1.0", made.get("source", "")
    )
    rows = Rows(
        made.get("ids", [f"a/{i}.png" for i in range(n)]), paths or [None] * n, labels or [None] * n, vectors,
        thumbnails or [None] * n, splits=splits or [None] * n,
    )  # fmt: skip
    return write(place, [rows], provenance, total=n)


def groups(n=300, count=6, seed=0, noise=0.1):
    g = torch.Generator().manual_seed(seed)
    which = torch.randint(count, (n,), generator=g)
    return unit(torch.eye(count, DIM)[which] + noise * torch.randn(n, DIM, generator=g)).numpy(), which.numpy()


def lines(file):
    return pq.read_table(file).to_pylist()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_row_is_there_with_its_reason(here):
    vectors, _ = groups()
    vectors[40], vectors[41] = vectors[3], vectors[3]
    found = tacit.curate(
        table(here / "t.lance", vectors), out="m.parquet", keep=50, balance=True, drop_duplicates=True, similar=0.9999
    )
    rows = lines("m.parquet")
    assert [row["id"] for row in rows] == [f"a/{i}.png" for i in range(300)]
    assert sum(row["kept"] for row in rows) == found.kept == 50
    assert rows[41]["reason"] == "repeats a/3.png, cosine 1.000" and rows[41]["repeats"] == 3
    assert found.dropped == {"duplicates": 2, "not chosen": 248} and found.notes == []
    loose = tacit.curate("t.lance", out="loose.parquet", drop_duplicates=True, similar=0.01)
    assert "more than half. Look at some of them" in str(loose)
    assert all(row["reason"] for row in rows if not row["kept"])
    assert all(row["cluster"] is not None for i, row in enumerate(rows) if i not in (40, 41))
    about = json.loads(pq.read_schema("m.parquet").metadata[b"tacit.curation"])
    assert about["encoder"] == "ab" * 32 and about["options"]["keep"] == 50 and about["options"]["seed"] == 0
    assert "50 of the 300" in str(found) and found.as_dict()["kept"] == 50


def test_the_same_is_decided_again_and_another_seed_decides_otherwise(here):
    t = table(here / "t.lance", groups()[0])
    for out, seed in (("a.parquet", 1), ("b.parquet", 1), ("c.parquet", 2)):
        tacit.curate(t, out=out, keep=40, balance=True, seed=seed)
    kept = [[row["kept"] for row in lines(out)] for out in ("a.parquet", "b.parquet", "c.parquet")]
    assert kept[0] == kept[1] != kept[2]


def test_held_out_parts_are_not_thinned_and_what_leaks_to_them_is_dropped(here):
    vectors, _ = groups(100)
    splits = ["test" if i >= 80 else "train" for i in range(100)]
    vectors[5] = vectors[90]
    vectors[91] = vectors[90]  # a repeated test sample stays
    t = table(here / "t.lance", vectors, splits=splits)
    found = tacit.curate(t, out="m.parquet", keep=10, drop_duplicates=True, drop_leaks=True, similar=0.99999)
    rows = lines("m.parquet")
    assert found.kept == 30 and found.held_out == 20 and all(row["kept"] for row in rows[80:])
    assert rows[5]["reason"] == "repeats a/90.png of the test part, cosine 1.000" and rows[5]["leaks_to"] == 90
    assert rows[91]["reason"] == "not thinned: of the test part"


def test_outliers_and_doubtful_labels_are_named(here):
    vectors, which = groups(200)
    vectors[7] = unit(torch.cat([torch.zeros(8), torch.ones(4)])).numpy()
    labels = [f"class {c}" for c in which]
    labels[11] = "class 0" if which[11] else "class 1"
    t = table(here / "t.lance", vectors, labels=labels)
    found = tacit.curate(t, out="m.parquet", drop_outliers=True, drop_doubtful=True)
    rows = lines("m.parquet")
    assert found.dropped["outliers"] == 1 and "stands apart" in rows[7]["reason"] and rows[7]["distance"] > 1
    assert found.dropped["doubtful labels"] == 1
    assert rows[11]["reason"] == f"labelled {labels[11]}, as 0% of its neighbours are; rather class {which[11]}"


def test_pictures_that_look_alike_are_dropped_within_their_folder(here):
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 255, (24, 24, 3), dtype=np.uint8) for _ in range(20)]
    pictures[9], pictures[15] = pictures[2], pictures[2]
    folders = [f"{'one' if i < 10 else 'two'}/{i}.png" for i in range(20)]
    vectors = unit(torch.randn(20, DIM, generator=torch.Generator().manual_seed(1))).numpy()
    t = table(here / "t.lance", vectors, ids=folders, thumbnails=[thumbnail(picture) for picture in pictures])
    found = tacit.curate(t, out="m.parquet", drop_duplicates=True, hamming=6, within_folders=True)
    assert found.dropped["pictures that look alike"] == 1
    assert lines("m.parquet")[9]["reason"] == "looks like one/2.png, 0 of 64 bits differ"
    tacit.curate(t, out="everywhere.parquet", drop_duplicates=True, hamming=6)
    assert [i for i, row in enumerate(lines("everywhere.parquet")) if not row["kept"]] == [9, 15]


def test_more_than_is_left_is_said_and_all_is_kept(here):
    found = tacit.curate(table(here / "t.lance", groups(30)[0]), out="m.parquet", keep=31, balance=True)
    assert found.kept == 30 and found.notes == ["31 were to be kept and 30 are left: all of these are."]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Nothing was asked for"),
        ({"keep": 0}, "--keep is 0"),
        ({"keep": -3}, "--keep is -3"),
        ({"balance": True}, "--keep too"),
        ({"keep": 3, "balance": True, "diverse": True}, "--balance and --diverse"),
        ({"drop_duplicates": True, "similar": 1.5}, "--similar is 1.5"),
        ({"drop_duplicates": True, "similar": float("nan")}, "--similar is nan"),
        ({"drop_duplicates": True, "hamming": 64}, "--hamming is 64"),
        ({"keep": 3, "hamming": 4}, "--drop-duplicates too"),
        ({"drop_duplicates": True, "within_folders": True}, "give --hamming too"),
        ({"drop_outliers": True, "far": 0.0}, "far is 0"),
        ({"keep": 3, "similar": 0.5}, "--drop-leaks too"),
        ({"keep": 3, "far": 2.0}, "--drop-outliers too"),
        ({"drop_duplicates": True, "hamming": 4}, "no row of the table has one"),
        ({"drop_leaks": True}, "training part alone"),
        ({"drop_doubtful": True}, "fewer than two kinds"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_written(here, options, words):
    t = table(here / "t.lance", groups(20)[0])
    with pytest.raises(TacitError, match=words):
        tacit.curate(t, out="m.parquet", **options)
    assert not Path("m.parquet").exists()


def test_a_manifest_that_is_there_is_not_overwritten_unless_asked(here):
    t = table(here / "t.lance", groups(20)[0])
    Path("m.parquet").write_bytes(b"mine")
    with pytest.raises(TacitError, match="is there already"):
        tacit.curate(t, out="m.parquet", keep=3)
    assert Path("m.parquet").read_bytes() == b"mine"
    tacit.curate(t, out="m.parquet", keep=3, overwrite=True)
    assert sum(row["kept"] for row in lines("m.parquet")) == 3
    with pytest.raises(TacitError, match=r"\.parquet"):
        tacit.curate(t, out="m.csv", keep=3)


def test_vectors_that_are_no_numbers_or_lie_in_no_flat_space_are_refused(here, monkeypatch):
    t = table(here / "t.lance", groups(20)[0])
    broken = t.vectors()
    broken[4, 2] = np.nan
    monkeypatch.setattr("tacit.applying.curating.vectors_of", lambda batch: broken)
    with pytest.raises(TacitError, match=r"1 rows of .*'a/4.png' for one, hold NaN"):
        tacit.curate(t, out="m.parquet", keep=3)
    with pytest.raises(TacitError, match="compared by poincare"):
        tacit.curate(table(here / "p.lance", 0.1 * groups(20)[0], similarity="poincare"), out="m.parquet", keep=3)


def test_a_table_that_is_taken_away_meanwhile_is_named(here):
    t = table(here / "t.lance", groups(20)[0])
    shutil.rmtree(here / "t.lance")
    with pytest.raises(TacitError, match="no whole table"):
        tacit.curate(t, out="m.parquet", keep=3)
    assert not Path("m.parquet").exists()


@pytest.fixture
def photos(here):
    """A folder of images, and a table of vectors of them as `tacit.embed` writes it."""
    write_images(tiny_images(60), here / "photos")
    samples = tacit.open("photos")
    vectors = groups(60)[0]
    return table(
        here / "t.lance", vectors, ids=list(samples.ids), paths=[samples.path(i) for i in range(60)],
        labels=[samples.classes[c] for c in samples.labels], splits=samples.splits.tolist(), source="photos",
    )  # fmt: skip


def test_a_manifest_of_images_is_a_source_and_the_files_stay(here, photos, monkeypatch):
    before = {file: hashlib.sha256(file.read_bytes()).digest() for file in sorted(here.glob("photos/**/*.png"))}
    tacit.curate(photos, out="m.parquet", keep=12)
    monkeypatch.chdir(here.parent)
    opened, whole = tacit.open(here / "m.parquet"), tacit.open(here / "photos")
    kept = [row["id"] for row in lines(here / "m.parquet") if row["kept"]]
    assert list(opened.ids) == kept and set(opened.splits) == {"train", "test"} and (opened.splits == "train").sum() == 12
    place = list(whole.ids).index(kept[0])
    assert opened.classes[opened.labels[0]] == whole.classes[whole.labels[place]]
    assert torch.equal(opened.read(np.array([0]))[0].pixels, whole.read(np.array([place]))[0].pixels)
    assert {file: hashlib.sha256(file.read_bytes()).digest() for file in sorted(here.glob("photos/**/*.png"))} == before


def test_a_user_may_change_what_is_kept_and_lose_the_metadata(here, photos):
    tacit.curate(photos, out="m.parquet", keep=12)
    frame = pq.read_table("m.parquet")
    kept = np.zeros(60, bool)
    kept[[3, 5]] = True
    changed = frame.set_column(frame.column_names.index("kept"), "kept", [kept]).replace_schema_metadata(None)
    pq.write_table(changed, "mine.parquet")
    assert list(tacit.open("mine.parquet").ids) == [frame["id"][3].as_py(), frame["id"][5].as_py()]
    pq.write_table(frame.set_column(frame.column_names.index("kept"), "kept", [np.zeros(60, bool)]), "none.parquet")
    with pytest.raises(TacitError, match="keeps none of its 60"):
        tacit.open("none.parquet")


def test_columns_that_are_gone_do_not_make_it_another_file(here, photos):
    tacit.curate(photos, out="m.parquet", keep=12)
    frame = pq.read_table("m.parquet")
    pq.write_table(frame.drop_columns(["reason"]), "few.parquet")
    assert list(tacit.open("few.parquet").ids) == list(tacit.open("m.parquet").ids)
    pq.write_table(frame.drop_columns(["label"]), "fewer.parquet")
    with pytest.raises(TacitError, match=r"fewer.parquet is a manifest without the column 'label'; put it back"):
        tacit.open("fewer.parquet")


def test_files_that_are_missing_are_named(here, photos):
    tacit.curate(photos, out="m.parquet", keep=12)
    shutil.rmtree("photos")
    with pytest.raises(TacitError, match=r"None of the .* images tried in m.parquet can be read"):
        tacit.open("m.parquet")


def test_what_has_no_files_is_taken_from_the_source(here):
    np.savez("data.npz", x=np.random.default_rng(0).random((40, 5), np.float32), y=np.arange(40) % 2)
    samples = tacit.open("data.npz")
    t = table(here / "t.lance", groups(40)[0], ids=list(samples.ids), kind="vector", source="data.npz")
    tacit.curate(t, out="m.parquet", keep=9, diverse=True)
    opened = tacit.open("m.parquet")
    kept = [i for i, row in enumerate(lines("m.parquet")) if row["kept"]]
    assert opened.kind == "vector" and list(opened.ids) == [samples.ids[i] for i in kept] and opened.source == "m.parquet"
    assert torch.equal(opened.read(np.arange(9))[0].values, samples.read(np.array(kept))[0].values)
    np.savez("data.npz", x=np.zeros((3, 5), np.float32), y=np.arange(3) % 2)
    with pytest.raises(TacitError, match=r"samples that m.parquet keeps are not in .*data.npz any more"):
        tacit.open("m.parquet")
    Path("data.npz").unlink()
    with pytest.raises(TacitError, match=r"data.npz, which is not there"):
        tacit.open("m.parquet")


def test_a_run_learns_from_what_is_kept(here):
    for i, pixels in enumerate(tiny_images(48).pixels):
        Path("photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(f"photos/{i:02d}.png")
    short = {"epochs": 1, "epoch_batches": 1, "batch": 8, "warmup": 0, "quiet": True, "device": "cpu", "width": 8}
    first = tacit.pretrain("photos", "simclr", out="runs/first", **short)
    tacit.embed(first, "photos", out="photos.lance")
    found = tacit.curate("photos.lance", out="m.parquet", keep=16, balance=True, drop_duplicates=True)
    run = tacit.pretrain("m.parquet", "simclr", out="runs/curated", **short)
    assert found.kept == 16 and run.config.data["samples"] == 16
    again = tacit.pretrain("runs/curated/run.yaml", out="runs/again")
    assert all(torch.equal(a, b) for a, b in zip(run.encoder.state_dict().values(), again.encoder.state_dict().values()))


def test_a_table_of_the_users_with_some_columns_of_a_manifest_is_a_table(tmp_path):
    words = {name: [f"{name} {n % 3}" for n in range(50)] for name in ("source", "kind")}
    columns = {"id": np.arange(50), **words, "kept": np.arange(50) % 2 == 0, "spent": np.linspace(0, 1, 50)}
    pq.write_table(pa.table(columns), tmp_path / "crm.parquet")
    opened = tacit.open(tmp_path / "crm.parquet")
    assert opened.kind == "table" and len(opened) == 50
