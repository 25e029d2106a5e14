import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tacit.applying.clustering import cluster
from tacit.cli import run
from tacit.embeddings.metadata import joined
from tacit.embeddings.read import open_table
from tacit.embeddings.search import search
from tacit.embeddings.write import add, write
from tacit.errors import TacitError

from .conftest import DIM, rows


@pytest.fixture
def table(tmp_path, made, vectors):
    return write(tmp_path / "photos.lance", rows(vectors[:100]), made, total=100)


def listed(path, text):
    path.write_text(text)
    return path


def test_columns_are_joined_by_id_and_filtered_by(table, vectors, tmp_path):
    lines = [f"some/{i}.png,{i / 2},{'indoor' if i % 4 else 'outdoor'},2026-01-{1 + i % 28:02d}\n" for i in range(90)]
    file = listed(tmp_path / "more.csv", "id,price,place,taken\n" + "".join(lines))
    table, said = joined(table, file)
    assert said.startswith("price, place, taken of 90 of the 100 rows") and len(table) == 100 == len({*table.ids()})
    ids = [f"some/{i}.png" for i in range(100)]
    assert np.array_equal(table.vectors(ids), vectors[:100])  # in whatever order they lie
    meets = [table.ids()[i] for i in table.where("price >= 40 AND place = 'outdoor' AND taken < DATE '2026-01-20'")]
    assert sorted(meets) == [f"some/{i}.png" for i in (80, 84, 88) if 1 + i % 28 < 20]
    assert len(table.where("price IS NULL")) == 10
    (hits,) = search(table, vectors[3:4], 5, where="place = 'outdoor'")
    assert len(hits) == 5 and all(int(hit.id[5:-4]) % 4 == 0 for hit in hits)
    assert table.row("some/3.png").label == "class 0"  # the rest is as it was


def test_what_comes_later_has_none_and_what_is_joined_again_is_new(table, vectors, tmp_path):
    table, _ = joined(table, listed(tmp_path / "a.csv", "id,price\nsome/1.png,1.5\nsome/2.png,2.5\n"))
    table = add(table.path, [*rows(vectors[:200], 100)][1:], renew=False)
    table = add(table.path, [some._replace(vectors=-some.vectors) for some in rows(vectors[:2], 2)], renew=True)
    assert len(table) == 200 and len(table.where("price IS NULL")) == 198
    assert np.array_equal(table.vectors(["some/1.png"]), -vectors[1:2]) and len(table.where("price = 1.5")) == 1  # renewed
    table, _ = joined(table, listed(tmp_path / "b.tsv", "id\tprice\nsome/2.png\t7.25\n" + "some/150.png\t8.5\n"))
    prices = {row["id"]: row["price"] for row in table.lance.search().where("price > 0").select(["id", "price"]).to_list()}
    assert prices == {"some/1.png": 1.5, "some/2.png": 7.25, "some/150.png": 8.5}


def test_columns_are_joined_by_path_from_the_folder_of_the_list(made, vectors, tmp_path):
    some = [one._replace(paths=[str(tmp_path / id) for id in one.ids]) for one in rows(vectors[:20])]
    table = write(tmp_path / "photos.lance", some, made, total=20)
    pq.write_table(pa.table({"path": ["some/3.png", "some/4.png"], "kind": ["a", "b"]}), tmp_path / "list.parquet")
    table, _ = joined(table, tmp_path / "list.parquet")
    assert [table.ids()[i] for i in table.where("kind = 'b'")] == ["some/4.png"]


def test_a_few_unknown_ids_are_said_and_many_refused(table, tmp_path):
    lines = "".join(f"some/{i}.png,{i}\n" for i in range(30))
    _, said = joined(table, listed(tmp_path / "a.csv", f"id,size\n{lines}gone.png,3\n"))
    assert "1 rows of" in said and "left out" in said
    with pytest.raises(TacitError, match=r"1 of 2 rows of .* are of no row of .*'somme/1.png' .*nearest is 'some/1.png'"):
        joined(table, listed(tmp_path / "a.csv", "id,size\nsomme/1.png,1\nsome/2.png,2\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,size\na,1\n", "no column of .*'id'"),
        ("id\nsome/1.png\n", "0 columns to join"),
        ("id,size\n", "0 rows"),
        ("id,label\nsome/1.png,x\n", "'label' of .* cannot be joined.*none of id, vector"),
        ("id,Size of it\nsome/1.png,1\n", "'Size of it' of .* cannot be joined; give it a name of small letters"),
        ("id,size,size\nsome/1.png,1,2\n", "cannot be joined.*once"),
        ("id,size\nsome/1.png,1\nsome/1.png,2\n", "the id 'some/1.png' in 2 rows"),
        ("id,size\nsome/1.png,1,3\n", "cannot be read as a list .*equal rows"),
    ],
)
def test_lists_that_cannot_be_joined_leave_the_table(table, tmp_path, text, words):
    with pytest.raises(TacitError, match=words) as caught:
        joined(table, listed(tmp_path / "a.csv", text))
    assert "\n" not in str(caught.value) and open_table(table.path).version == table.version


def test_other_types_and_files_are_refused(table, tmp_path):
    table, _ = joined(table, listed(tmp_path / "a.csv", "id,size\nsome/1.png,1\n"))
    with pytest.raises(TacitError, match=r"'size' of .* is string, and .* has one of int64; give it another name"):
        joined(table, listed(tmp_path / "a.csv", "id,size\nsome/1.png,large\n"))
    pq.write_table(pa.table({"id": ["some/1.png"], "parts": [[1, 2]]}), tmp_path / "a.parquet")
    with pytest.raises(TacitError, match=r"'parts' of .* is list.*; give numbers, words"):
        joined(table, tmp_path / "a.parquet")
    with pytest.raises(TacitError, match=r"is no \.csv, \.tsv or \.parquet"):
        joined(table, tmp_path / "nowhere.csv")


def test_clusters_are_named_by_what_was_joined(made, tmp_path, capsys):
    random = np.random.default_rng(0)
    centres = np.repeat(5 * random.standard_normal((2, DIM)), 50, 0)
    near = (centres + 0.1 * random.standard_normal((100, DIM))).astype(np.float32)
    out = tmp_path / "photos.lance"
    bare = [some._replace(paths=[None] * 50, labels=[None] * 50) for some in rows(near, 50)]
    table = write(out, bare, made, total=100)
    said = ["a cat on the sofa", "the striped cat sleeps", "one dog in a park", "the dog runs far"]
    lines = [f"some/{i}.png,{'in' if i < 50 else 'out'}doors,{said[2 * (i >= 50) + i % 2]}\n" for i in range(100)]
    listed(tmp_path / "captions.csv", "id,caption\n" + "".join(f"{','.join(line.split(',')[::2])}" for line in lines))
    table, _ = joined(table, tmp_path / "captions.csv")
    named = {one.name for one in cluster(table, out=tmp_path / "c.parquet", number=2).found}
    assert {name.split(",")[0] for name in named} == {"cat", "dog"}
    assert run(["table", str(out), "--join", str(listed(tmp_path / "all.csv", "id,place,caption\n" + "".join(lines)))]) == 0
    assert "place, caption of 100 of the 100 rows come from" in capsys.readouterr().out
    named = {one.name for one in cluster(open_table(out), out=tmp_path / "d.parquet", number=2).found}
    assert {name.split(",")[0] for name in named} == {"indoors: cat", "outdoors: dog"}


def test_ids_of_digits_and_columns_parted_by_semicolons(made, vectors, tmp_path):
    (some,) = rows(vectors[:3])
    table = write(tmp_path / "photos.lance", [some._replace(ids=["001", "002", "003"])], made, total=3)
    table, _ = joined(table, listed(tmp_path / "more.csv", "id;price\n001;1.5\n003;2.5\n"))
    assert [table.ids()[i] for i in table.where("price > 2")] == ["003"]
