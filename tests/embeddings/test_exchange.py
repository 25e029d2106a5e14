from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tacit.embeddings.exchange import export, take_in
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.search import search
from tacit.embeddings.write import write
from tacit.errors import TacitError

from .conftest import rows


@pytest.fixture
def table(tmp_path, made, vectors):
    return write(tmp_path / "photos.lance", rows(vectors), made, total=1000)


def test_out_and_in_again(table, vectors, tmp_path):
    file = export(table, tmp_path / "deep" / "photos.parquet")
    kept = pq.read_table(file)
    assert kept.column("id").to_pylist() == table.ids() and kept.column("thumbnail")[7].as_py() == b"picture 7"
    assert Provenance.from_metadata(kept.schema.metadata) == table.provenance
    back = take_in(file, tmp_path / "back.lance", encoder="clip")
    assert back.ids() == table.ids() and np.array_equal(back.vectors(), vectors)
    assert back.row("some/7.png")[:3] == ("some/7.png", "/photos/some/7.png", "class 1")
    assert search(back, vectors[:1], 3)[0][0].id == "some/0.png" and back.provenance.run == "clip"
    with pytest.raises(TacitError, match="another encoder"):
        take_in(file, tmp_path / "back.lance", encoder="dino", overwrite=True)


def test_numpy_and_faiss(table, vectors, tmp_path):
    file = export(table, tmp_path / "photos.npy")
    assert np.array_equal(np.load(file), vectors) and (tmp_path / "photos.ids.txt").read_text().splitlines() == table.ids()
    back = take_in(file, tmp_path / "back.lance", encoder="clip", similarity="dot")
    assert back.ids() == table.ids() and np.array_equal(back.vectors(), vectors) and back.provenance.similarity == "dot"
    flat = faiss.read_index(str(export(table, tmp_path / "photos.faiss")))
    _, found = flat.search(vectors[:1], 4)
    (hits,) = search(table, vectors[:1], 4)
    assert flat.ntotal == 1000 and [f"some/{i}.png" for i in found[0]] == [hit.id for hit in hits]


def test_what_cannot_be_taken_in_is_said(table, tmp_path, vectors):
    with pytest.raises(TacitError, match=r"\.parquet, \.npy, \.faiss"):
        export(table, tmp_path / "photos.csv")
    np.save(tmp_path / "cube.npy", np.zeros((2, 3, 4)))
    np.save(tmp_path / "short.npy", vectors)
    (tmp_path / "short.ids.txt").write_text("a\n")
    np.save(tmp_path / "nan.npy", np.full((3, 4), np.nan, np.float32))
    (tmp_path / "bad.parquet").write_bytes(b"no")
    pq.write_table(pa.table({"id": ["a"], "x": [1]}), tmp_path / "other.parquet")
    pq.write_table(pa.table({"id": ["a", "b"], "vector": [[1.0, 2.0], [1.0]]}), tmp_path / "ragged.parquet")
    pq.write_table(pa.table({"id": ["a"], "vector": ["x"]}), tmp_path / "words.parquet")
    for name, why in [
        ("gone.npy", "no .parquet or .npy file"),
        ("cube.npy", "n × d"),
        ("short.npy", "1 lines and .* 1000 rows"),
        ("nan.npy", "NaN"),
        ("bad.parquet", "cannot be read"),
        ("other.parquet", "lacks vector"),
        ("ragged.parquet", "not all of 2 numbers"),
        ("words.parquet", "lists of numbers"),
    ]:
        with pytest.raises(TacitError, match=why):
            take_in(tmp_path / name, tmp_path / "new.lance", encoder="clip")
        assert not (tmp_path / "new.lance").exists()


def test_only_what_was_exported_is_replaced(table, tmp_path):
    for name in ("photos.parquet", "photos.npy", "photos.faiss", "photos.npy"):
        export(table, tmp_path / name)  # again, and beside one another
    export(table, tmp_path / "photos.parquet")
    np.save(tmp_path / "mine.npy", np.zeros(3))
    (tmp_path / "list.ids.txt").write_text("a\n")
    pq.write_table(pa.table({"id": ["a"], "vector": [[1.0]]}), tmp_path / "mine.parquet")
    export(table, tmp_path / "changed.npy")
    np.save(tmp_path / "changed.npy", np.zeros(3))  # by the user, since
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    wrong = {name: name for name in ("mine.npy", "mine.parquet", "changed.npy")}  # what is asked for, and what is in its way
    wrong |= {"list.faiss": "list.ids.txt", "mine.faiss": "mine.npy", "changed.faiss": "changed.npy"}
    for name, other in wrong.items():
        with pytest.raises(TacitError, match=rf"{other} is there and holds no .*; give another name"):
            export(table, tmp_path / name)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("cut_at", [".ids.txt", ".npy"])
def test_an_export_that_was_broken_off_is_begun_again(table, tmp_path, monkeypatch, cut_at):
    replace = Path.replace

    def broken(self, target):
        if target.name.endswith(cut_at):
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", broken)
        export(table, tmp_path / "photos.npy")
    assert not (tmp_path / "photos.npy").exists()  # the ids come first
    back = take_in(export(table, tmp_path / "photos.npy"), tmp_path / "back.lance", encoder="clip")
    assert back.ids() == table.ids()


def test_ids_that_are_no_text_are_named(tmp_path):
    np.save(tmp_path / "v.npy", np.eye(2))
    (tmp_path / "v.ids.txt").write_bytes("Süd\nNord\n".encode("latin-1"))
    with pytest.raises(TacitError, match=r"v.ids.txt is no text in UTF-8"):
        take_in(tmp_path / "v.npy", tmp_path / "new.lance", encoder="clip")


def test_a_folder_that_was_only_made_is_imported_into(tmp_path):
    np.save(tmp_path / "v.npy", np.eye(2))
    (tmp_path / "new.lance").mkdir()  # what a kill leaves before the first file
    assert len(take_in(tmp_path / "v.npy", tmp_path / "new.lance", encoder="clip")) == 2


@pytest.mark.parametrize(
    ("ids", "vectors", "why"),
    [
        (["a", "a", "b"], [[1.0]] * 3, "has the id 'a' twice"),
        (["a", None, "b"], [[1.0]] * 3, "a sample without an id"),
        (["a", "b"], pa.array([[], []], pa.list_(pa.float32())), "holds no number"),
        (["a", "b"], [None, [1.0]], "not all of 1 numbers"),
        (["a", "b"], pa.array([None, None], pa.list_(pa.float32())), "holds no number"),
        (["a", "b"], [["x"], ["y"]], "lists of numbers were expected"),
        (["a", "b"], [[[1.0]], [[2.0]]], "lists of numbers were expected"),
    ],
)
def test_odd_parquet_is_refused(ids, vectors, why, tmp_path):
    pq.write_table(pa.table({"id": ids, "vector": vectors}), tmp_path / "odd.parquet")
    with pytest.raises(TacitError, match=why):
        take_in(tmp_path / "odd.parquet", tmp_path / "new.lance", encoder="clip")
    assert not (tmp_path / "new.lance").exists()


def test_ids_that_stand_beside_come_once_each(tmp_path):
    np.save(tmp_path / "v.npy", np.eye(3))
    (tmp_path / "v.ids.txt").write_text("a\nb\na\n")
    with pytest.raises(TacitError, match=r"v.ids.txt has the id 'a' twice"):
        take_in(tmp_path / "v.npy", tmp_path / "new.lance", encoder="clip")


def test_ids_that_seem_to_hold_lines(made, vectors, tmp_path):
    (some,) = rows(vectors[:3])
    odd = write(tmp_path / "odd.lance", [some._replace(ids=["a\u2028b", "c\x0b", "d"])], made, total=3)
    assert take_in(export(odd, tmp_path / "v.npy"), tmp_path / "back.lance", encoder="clip").ids() == odd.ids()
    broken = write(tmp_path / "broken.lance", [some._replace(ids=["a\nb", "c", "d"])], made, total=3)
    with pytest.raises(TacitError, match=r"The id 'a\\nb' of .* export \.parquet"):
        export(broken, tmp_path / "w.npy")
    assert not (tmp_path / "w.npy").exists()


def test_a_table_that_is_there_is_not_imported_over(table, tmp_path):
    np.save(tmp_path / "v.npy", np.eye(3))
    take_in(tmp_path / "v.npy", tmp_path / "v.lance", encoder="clip")
    with pytest.raises(TacitError, match="is there already, with 3 rows; give another name or move it away"):
        take_in(tmp_path / "v.npy", tmp_path / "v.lance", encoder="clip")
