"""Series in tables, long and wide."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tacit
from tacit.errors import TacitError


def written(path, header, rows):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


def test_a_long_table_of_several_series(tmp_path):
    rows = [
        ("b", 2, 0.5, 1, "up"),
        ("b", 1, 0.25, 2, "up"),
        ("a", 1, 3, "", "down"),
        ("a", 2, 4, 5, "down"),
        ("a", 3, 5, 6, "down"),
    ]
    samples = tacit.open(written(tmp_path / "x.csv", "series,time,left,right,label", rows))
    assert samples.kind == "series" and samples.ids == ["b", "a"] and samples.names == ("left", "right")
    assert samples.classes == ("down", "up") and samples.labels.tolist() == [1, 0]
    content, _ = samples.read(np.array([0, 1]))
    np.testing.assert_array_equal(content.values[0, :, :2].numpy(), [[0.25, 0.5], [2, 1]])
    np.testing.assert_array_equal(content.values[1].numpy(), [[3, 4, 5], [np.nan, 5, 6]])
    assert "sorted" in samples.notes["order"] and "missing" in samples.notes


def test_parquet_with_parts(tmp_path):
    table = pa.table({"unique_id": ["a"] * 3 + ["b"] * 3, "ds": [1, 2, 3] * 2, "y": [0.1, 0.2, 0.3, 3.0, 2.0, 1.0]})
    for part in ("train", "test"):
        pq.write_table(table, tmp_path / f"{part}.parquet")
    samples = tacit.open(str(tmp_path))
    assert samples.kind == "series" and samples.splits.tolist() == ["test", "test", "train", "train"]
    assert samples.ids[0] == "test/a" and samples.names == ("y",) and samples.labels is None


def test_dates_and_nothing_but_numbers_are_one_long_series(tmp_path):
    days = np.datetime_as_string(np.datetime64("2020-01-01T00:00:00") + 3600 * np.arange(1200))
    marked = (np.arange(1200) // 30 == 35).astype(int)
    rows = list(zip(days, np.sin(np.arange(1200) / 9), np.cos(np.arange(1200) / 5), marked))
    samples = tacit.open(written(tmp_path / "x.csv", "date,HUFL,OT,anomaly", rows))
    assert samples.kind == "series" and samples.names == ("HUFL", "OT") and samples.long.anomaly.sum() == 30
    assert samples.long.window == 120 and "spacing" not in samples.notes
    uneven = [(row[0], *row[1:]) for row in rows if row[3] == 0]
    assert "uneven" in tacit.open(written(tmp_path / "y.csv", "date,HUFL,OT,anomaly", uneven)).notes["spacing"]


def test_a_table_with_dates_and_labels_stays_a_table(tmp_path):
    rows = [(f"2020-01-{day:02d}", day, "ab"[day % 2]) for day in range(1, 29)]
    assert tacit.open(written(tmp_path / "x.csv", "date,amount,label", rows)).kind == "table"
    mixed = [(f"2020-01-{day:02d}", day, "ab"[day % 2]) for day in range(1, 29)]
    assert tacit.open(written(tmp_path / "y.csv", "date,amount,shop", mixed)).kind == "table"


def test_a_wide_table_when_told(tmp_path):
    rows = [(1, 0.5, 0.6, 0.7), (2, 1.5, "", 1.7), (1, 2.5, 2.6, "")]
    bare = tmp_path / "Toy_TRAIN.tsv"
    bare.write_text("\n".join("\t".join(map(str, row)) for row in rows) + "\n")
    samples = tacit.open(str(bare), kind="series")
    assert samples.labels.tolist() == [0, 1, 0] and samples.lengths.tolist() == [3, 3, 2]
    named = tacit.open(written(tmp_path / "x.csv", "label,t0,t1,t2", rows), kind="series")
    np.testing.assert_array_equal(named.values, samples.values)


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [("series,time,name", [("a", 1, "x"), ("a", 2, "y")], "no column of numbers"), ("label,t0", [(1, 2), (2, 3)], "1 columns")],
)
def test_mistakes_are_one_sentence(tmp_path, header, rows, said):
    with pytest.raises(TacitError, match=said):
        tacit.open(written(tmp_path / "x.csv", header, rows), kind="series")


def test_times_that_cannot_be_read_are_said(tmp_path):
    rows = [("a", "soon", 1), ("a", "later", 2), ("a", "then", 3), ("b", "now", 4), ("b", "soon", 6)]
    samples = tacit.open(written(tmp_path / "x.csv", "series,time,v", rows))
    assert "order of the rows" in samples.notes["times"] and samples.lengths.tolist() == [3, 2]
