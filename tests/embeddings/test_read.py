import os

import numpy as np
import pyarrow as pa
import pytest

from tacit.embeddings import read as module
from tacit.embeddings.read import open_table
from tacit.embeddings.write import write
from tacit.errors import TacitError

from .conftest import rows


@pytest.fixture
def table(tmp_path, made, vectors):
    return write(tmp_path / "photos.lance", rows(vectors), made, total=1000)


def test_streams_in_order_in_batches_and_columns(table, vectors):
    batches = list(table.stream(batch=300, columns=("vector", "id")))
    assert [len(batch) for batch in batches] == [300, 300, 300, 100]
    assert batches[0].schema.names == ["vector", "id"]
    assert np.array_equal(np.concatenate([module.vectors_of(batch) for batch in batches]), vectors)


def test_stream_reads_only_what_is_asked_for(table, monkeypatch):
    asked = []
    search = table.lance.search
    monkeypatch.setattr(table.lance, "search", lambda: asked.append(1) or search())
    stream = table.stream(batch=100)
    next(stream), next(stream)
    assert len(asked) == 2


def test_rows_in_the_order_asked_for(table, vectors, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 3)  # several takes
    numbers = [999, 0, 5, 7, 5, 500, 998]
    ids = [f"some/{i}.png" for i in numbers]
    found = table.rows(ids)
    assert found.ids == ids
    assert np.array_equal(found.vectors, vectors[numbers])
    assert np.array_equal(table.vectors(ids), vectors[numbers])
    assert found.paths == [f"/photos/some/{i}.png" if i % 2 else None for i in numbers]
    assert found.thumbnails == [b"picture %d" % i if i % 2 else None for i in numbers]
    assert table.rows([]).ids == []
    assert table.find(["some/3.png", "no", "some/3.png"]).tolist() == [3, -1, 3]


def test_a_missing_id_is_answered_with_the_nearest(table):
    with pytest.raises(TacitError, match=r"no id 'some/77\.jpg'.*nearest is 'some/77\.png'"):
        table.row("some/77.jpg")


def test_an_id_that_is_there_twice_is_named(tmp_path, made, vectors):
    (some,) = rows(vectors[:4], batch=4)
    table = write(tmp_path / "photos.lance", [some, some._replace(ids=["a", "b", "some/1.png", "c"])], made, total=8)
    assert table.row("b").id == "b"
    with pytest.raises(TacitError, match=r"'some/1\.png' 2 times"):
        table.row("some/1.png")


def test_it_says_what_it_is(table):
    assert str(table).endswith("photos.lance: 1000 image vectors of 16 numbers, compared by cosine")


def test_a_table_that_is_not_there_is_answered_with_its_neighbours(table, tmp_path):
    with pytest.raises(TacitError, match=r"no table .*potos\.lance, and there are photos\.lance beside it"):
        open_table(tmp_path / "potos.lance")
    with pytest.raises(TacitError, match="no table in"):
        open_table(tmp_path / "nowhere" / "photos.lance")
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(TacitError, match=r"does not end in \.lance"):
        open_table(tmp_path / "photos")
    (tmp_path / "file.lance").write_text("")
    with pytest.raises(TacitError, match="is a file"):
        open_table(tmp_path / "file.lance")


def halve(file):
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize(
    ("part", "harm"),
    [("data", halve), ("data", os.unlink), ("_versions", halve)],
    ids=["data cut", "data gone", "manifest cut"],
)
def test_what_is_not_whole_is_refused(table, part, harm):
    for file in (table.path / part).iterdir():
        harm(file)
    with pytest.raises(TacitError, match="is no whole table") as caught:
        open_table(table.path)
    assert "\n" not in str(caught.value)
    assert ".rs:" not in str(caught.value)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "photos.lance").mkdir()
    with pytest.raises(TacitError, match="is no whole table"):
        open_table(tmp_path / "photos.lance")


def test_tables_of_others_are_refused(tmp_path, made):
    import lancedb

    other = pa.table({"id": ["a"], "vector": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))})
    lancedb.connect(tmp_path).create_table("theirs", other)
    with pytest.raises(TacitError, match="carries no provenance"):
        open_table(tmp_path / "theirs.lance")
    lancedb.connect(tmp_path).create_table("almost", other.replace_schema_metadata(made.metadata()))
    with pytest.raises(TacitError, match="its columns are not id, vector"):
        open_table(tmp_path / "almost.lance")


def test_a_table_that_was_replaced_under_a_reader_says_so(table, made, vectors):
    write(table.path, rows(vectors[:10]), made, total=10, overwrite=True)
    with pytest.raises(TacitError, match="open it again"):
        table.vectors()
    assert len(open_table(table.path)) == 10


def test_nothing_heavy_is_imported_before_it_is_needed():
    import subprocess
    import sys

    code = (
        "import tacit.embeddings.write, tacit.embeddings.search, tacit.embeddings.sheet, sys; "
        "sys.exit(bool({'lancedb', 'torch', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
