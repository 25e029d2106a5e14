"""Tables: types inferred and told, cells as numbers and codes, labels and splits, what is bad named and counted."""

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tacit.data
from tacit.data.generated import table
from tacit.data.inspecting import inspect
from tacit.data.splitting import splits
from tacit.data.tabular.files import Said
from tacit.data.tabular.rows import Rows, codes_of, from_arrow, unseen_in_other_parts
from tacit.errors import TacitError

ROWS = """age;city;paid;since;zip;odd;empty;label
31;Rome;true;2020-01-02;01234;1;;yes
;Oslo;FALSE;2021-05-06 07:08:09;12345;2;NA;no
45.5;Rome;?;;12345;n/a;;yes
1e1;"Ålborg, DK";true;1969-12-31;99999;3;;
"""


@pytest.fixture
def people(tmp_path):
    (tmp_path / "people.csv").write_text("\ufeff" + ROWS, encoding="utf-8")
    return tmp_path / "people.csv"


def test_types_are_inferred_and_cells_are_numbers_and_codes(people):
    samples = tacit.data.open(people)
    assert samples.kind == "table" and list(samples.ids) == ["00000", "00001", "00002", "00003"]
    types = dict(zip(samples.names, samples.types))
    assert types == {
        "age": "number",
        "city": "category",
        "paid": "boolean",
        "since": "date",
        "zip": "category",
        "odd": "number",
    }
    assert samples.classes == ("no", "yes") and samples.labels.tolist() == [1, 0, 1, -1]
    content, bad = samples.read(np.arange(4))
    assert not bad and content.columns.tolist() == codes_of(samples.names).tolist()
    numbers, codes = content.numbers.numpy(), content.codes.numpy()
    np.testing.assert_array_equal(numbers[:, 0], [31, np.nan, 45.5, 10])
    np.testing.assert_array_equal(numbers[:, 3], [1577923200, 1620284889, np.nan, -86400])
    assert codes[0, 1] == codes[2, 1] != codes[1, 1] and codes[2, 2] == 0 and codes[0, 2] == codes[3, 2]
    assert codes[1, 4] == codes[2, 4] != codes[0, 4]


def test_inspect_shows_the_schema_and_what_does_not_fit(people, tmp_path):
    said = str(inspect(people, schema=tmp_path / "people.yaml"))
    assert "4 rows of a table" in said and "column empty (all missing) 4" in said
    assert "number 10 to 45.5, 1 missing" in said and "some written like 007" in said and "2020" not in said.split("age")[0]
    (tmp_path / "mixed.csv").write_text("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(99)) + "abc,?\n")
    said = str(inspect(tmp_path / "mixed.csv"))
    assert "1 cells are no number ('abc') and count as missing" in said and "0 to 2, 1 missing" in said
    (tmp_path / "more.csv").write_text("a,b\n" + "1,x\ny,x\n" * 9)
    assert "mixed: 9 of its 18 cells are numbers" in str(inspect(tmp_path / "more.csv"))


def test_a_yaml_tells_label_and_types(people, tmp_path):
    inspect(people, schema=tmp_path / "people.yaml")
    text = (tmp_path / "people.yaml").read_text()
    assert str(people) in text and "label: label" in text and "zip: category" in text
    text = (
        text.replace("label: label", "label: city")
        .replace("zip: category", "zip: number")
        .replace("odd: number", "odd: ignore")
    )
    (tmp_path / "people.yaml").write_text(text)
    samples = tacit.data.open(tmp_path / "people.yaml")
    assert samples.classes == ("Oslo", "Rome", "Ålborg, DK") and "odd" not in samples.names
    assert dict(zip(samples.names, samples.types))["zip"] == "number" and samples.ignored["column odd (as told)"] == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("table: people.csv\nlabel: citi\n", "did you mean 'city'"),
        ("table: people.csv\ncolumns: {age: numbr}\n", "did you mean 'number'"),
        ("table: people.csv\nlable: city\n", "its fields are table, label"),
        ("table: nobody.csv\n", "where there is no table"),
        ("label: city\n", "does not say which table"),
        ("a: [", "is no YAML"),
    ],
)
def test_mistakes_in_the_yaml_are_named(people, tmp_path, text, says):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(TacitError, match=says):
        tacit.data.open(tmp_path / "p.yaml")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        ("a.csv", "a,a\n1,2\n", "two columns of one name"),
        ("a.csv", "label\nx\ny\n", "no column to learn from"),
        ("a.csv", "a,label\n,x\n,y\n", "no column to learn from"),
        ("a.arrow", "nothing", "no Arrow that can be read"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(TacitError, match=says) as error:
        tacit.data.open(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_value_has_one_code_in_every_form_of_file(tmp_path):
    rows = {
        "whole": [1, None, 3],
        "truth": [True, False, None],
        "day": [datetime.date(2020, 1, 2), None, datetime.date(1960, 3, 4)],
        "word": ["a", "b", None],
        "size": [0.5, 1.0, 2.0],
    }
    whole = pa.table(rows)
    pq.write_table(whole, tmp_path / "a.parquet")
    coded = whole.set_column(3, "word", whole["word"].dictionary_encode())
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_file(file, coded.schema) as writer:
        writer.write_table(coded)
    lines = ["whole,truth,day,word,size", "1.0,True,2020-01-02,a,.5", ",false,,b,1", "3,,1960-03-04,,2e0"]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    found = [tacit.data.open(tmp_path / name) for name in ("a.parquet", "a.arrow", "a.csv")] + [from_arrow(whole)]
    first, *others = (samples.read(np.arange(3))[0] for samples in found)
    assert all(samples.types == ("number", "boolean", "date", "category", "number") for samples in found)
    for other in others:
        np.testing.assert_array_equal(first.numbers, other.numbers)
        np.testing.assert_array_equal(first.codes, other.codes)


def test_files_and_a_column_tell_splits(tmp_path):
    for name, rows in (("train.tsv", 6), ("test.tsv", 3), ("test21.tsv", 2)):
        (tmp_path / name).write_text("a\tb\ttarget\n" + "".join(f"{i}\t{i % 2}\t{i % 2}\n" for i in range(rows)))
    samples = tacit.data.open(tmp_path)
    assert [str(split) for split in np.unique(samples.splits)] == ["test", "test21", "train"]
    assert samples.ids[-1] == "train/00005" and len(samples.split("test21")) == 2
    assert [len(part) for part in splits(samples)[:2]] == [6, 3]
    told = from_arrow(pa.table({"a": [1, 2, 3], "b": [3, 1, 2], "split": ["train", "valid", "test"]}))
    assert told.splits.tolist() == ["train", "val", "test"] and told.names == ["a", "b"]


def test_files_of_one_split_are_one(tmp_path):
    for name, rows in (("train-0", 3), ("test-0", 2), ("train-1", 4)):
        pq.write_table(pa.table({"a": list(range(rows)), "b": [1] * rows}), tmp_path / f"{name}.parquet")
    samples = tacit.data.open(tmp_path)
    assert list(samples.split("train").ids) == [f"train/{row:05d}" for row in range(7)] and len(set(samples.ids)) == 9


def test_labels_of_minus_one():
    two = from_arrow(pa.table({"a": [1, 2, 3], "y": [-1, 1, -1]}))
    three = from_arrow(pa.table({"a": [1, 2, 3], "y": [-1, 1, 0]}))
    assert two.labels.tolist() == [0, 1, 0] and two.classes == ("-1", "1")
    assert (
        three.labels.tolist() == [-1, 1, 0]
        and three.classes == ("0", "1")
        and "-1 being none" in three.notes["labels"].replace("−", "-")
    )
    quantity = from_arrow(pa.table({"a": [1, 2], "b": [1, 2], "y": [0.5, 1.5]}))
    assert quantity.labels is None and quantity.names == ["a", "b"] and "a quantity" in quantity.notes["labels"]


def test_measures_are_of_the_training_part_alone():
    whole = from_arrow(
        pa.table(
            {
                "x": [1.0, 3.0, None, 100.0],
                "c": ["a", "b", "a", "new"],
                "split": ["train", "train", "train", "test"],
            }
        )
    )
    x, c = whole.split("train").statistics()["columns"]
    assert (x["mean"], x["std"], x["missing"]) == (2.0, 1.0, 1) and set(x["quantiles"].split()) == {"1.0", "3.0"}
    assert c["values"] == ["a", "b"] and c["counts"] == "2 1" and c["distinct"] == 2
    assert unseen_in_other_parts(whole) == {"c": 1}
    assert "1 cells of c hold values that the training part has not" in inspect(whole).notes["unseen"]


def test_many_values_are_counted_and_the_most_frequent_kept():
    words = [f"w{i}" for i in range(3000)] + ["often"] * 50
    samples = from_arrow(pa.table({"w": words, "x": list(range(3050))}))
    (w, x) = samples.statistics()["columns"]
    assert w["distinct"] == 3001 and len(w["codes"].split()) == 64 and w["counts"].split()[0] == "50"
    assert "more than 1,024 values" in samples.notes["columns"]
    assert abs(x["mean"] - 1524.5) < 1e-9 and abs(x["std"] - np.arange(3050).std()) < 1e-9 and x["type"] == "number"


def test_infinite_and_rounded_numbers_are_counted():
    samples = from_arrow(pa.table({"x": [1.0, np.inf, 2.0], "big": [2**60, 1, 2]}))
    assert "1 missing, 1 of them infinite" in samples.notes["columns"] and "from 2^53 on" in samples.notes["columns"]


def test_nested_columns_are_left_out_and_named():
    samples = from_arrow(pa.table({"x": [1, 2], "y": [[1], [2]]}), said=Said())
    assert samples.names == ["x"] and list(samples.ignored) == ["column y (list<item: int64>)"]


def test_a_query_in_other_columns_is_understood(people, tmp_path):
    lines = ["extra,odd,zip,since,paid,city,age", "9,1,1234,2020-01-02,true,Rome,31"]
    (tmp_path / "q.csv").write_text("\n".join(lines) + "\n")
    samples = tacit.data.open(tmp_path / "q.csv")
    assert samples.types[0] == "number" and len(samples) == 1


def test_taking_keeps_ids_and_labels():
    samples = table(50)
    some = samples.take(np.array([7, 3]))
    assert list(some.ids) == ["00007", "00003"] and some.labels.tolist() == samples.labels[[7, 3]].tolist()
    np.testing.assert_array_equal(some.read(np.array([1]))[0].codes, samples.read(np.array([3]))[0].codes)


def test_a_table_is_read_a_block_at_a_time(tmp_path, monkeypatch):
    from tacit.data.tabular import files as table_files

    monkeypatch.setattr(table_files, "BYTES", 2000)
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{i},v{i % 7}\n" for i in range(3000)))
    assert len(list(table_files.blocks(tmp_path / "a.csv"))) > 5
    samples = tacit.data.open(tmp_path / "a.csv")
    content, _ = samples.read(np.array([0, 2999, 1500]))
    assert content.numbers[:, 0].tolist() == [0, 2999, 1500] and len(samples.store.tallies[1].names) == 7


def test_a_column_that_gives_the_label_away_is_named():
    n = np.arange(400)
    columns = {"label": n % 2, "attack": [("smurf", "none", "land", "none")[i % 4] for i in n], "colour": n // 3 % 3, "id": n}
    found = inspect(from_arrow(pa.table(columns))).notes["gives away"]
    assert found.startswith("attack: the label follows")
    columns["label"] = n == 7  # where nearly all have one label every column would tell
    assert "gives away" not in inspect(from_arrow(pa.table(columns))).notes


def test_ids_in_turn_are_those_asked_for_one_by_one():
    order = np.random.default_rng(0).permutation(70_000)
    ids = Rows(order, np.array([0, 100, 40_000, 60_000]), ["train/", "test/", "train/", "é/"])
    assert list(ids)[:300] == [ids[i] for i in range(300)] and list(ids)[-1] == ids[-1]
    assert len({*ids}) == len(list(ids)) == 70_000 and list(ids[5:9]) == [ids[i] for i in range(5, 9)]
    assert list(ids[:0]) == []
