"""Logs of interactions: columns by name, items by table, order named and not changed, parts cut by time."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tacit.data.interactions import open_interactions
from tacit.errors import TacitError

LOG = "userId,movieId,rating,timestamp\nb,10,4,5\nb,9,3,7\na,10,1,6\na,7,2,1\na,9,2,9\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ratings.csv").write_text(LOG)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n9,Nine,War\n10,Ten,Love|War\n11,Eleven,\n")
    (tmp_path / "README.md").write_text("a set")
    return tmp_path


def test_a_folder_with_a_log_and_a_table_of_items(folder):
    log = open_interactions(folder)
    assert log.users == ["a", "b"] and log.items == ["10", "11", "7", "9"]
    assert log.user.tolist() == [1, 1, 0, 0, 0] and log.item.tolist() == [0, 3, 0, 2, 3]
    assert log.rating.tolist() == [4, 3, 1, 2, 2] and log.about["genres"] == ["Love|War", "", "", "War"]
    assert log.about["title"] == ["Ten", "Eleven", "", "Nine"]


def test_another_order_than_that_of_time_is_named_and_kept(folder):
    log = open_interactions(folder)
    assert log.notes["order"].startswith("not that of time: 2 of 5 rows") and log.time.tolist() == [5, 7, 6, 1, 9]
    (folder / "ratings.csv").write_text("user,item,time\n1,1,1\n1,2,2\n")
    assert "order" not in open_interactions(folder / "ratings.csv").notes


def test_parts_are_cut_by_time(folder):
    log = open_interactions(folder)
    assert log.latest(0.5).tolist() == [False, True, False, False, True]
    assert log.since(0.4).tolist() == [False, True, False, False, True]
    with pytest.raises(TacitError, match="between 0 and 1"):
        log.latest(1.0)


def test_dates_and_parquet(tmp_path):
    days = np.array(["2020-01-02", "2020-01-01"], "datetime64[us]")
    pq.write_table(pa.table({"user": [1, 1], "item": [1, 2], "time": days}), tmp_path / "log.parquet")
    log = open_interactions(tmp_path)
    assert np.diff(log.time).tolist() == [-86_400e6] and log.rating is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user,thing,time\n1,2,3\n", "holds 0 logs of interactions"),
        ("user,item,time\n1,,3\n1,2,3\n", "1 of the 2 rows .* have no item"),
        ("user,item,time\n1,2,later\n", "times as numbers or as dates"),
        ("user,item,time\n1,2,inf\n", "NaN or infinity"),
        ("user,item,time\n", "no interaction"),
        ("user,item,time\n1,2\n", "no readable table"),
        ("", "no readable table"),
    ],
)
def test_what_is_broken_is_one_sentence(tmp_path, text, words):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(TacitError, match=words):
        open_interactions(tmp_path)


def test_two_logs_and_none(folder):
    (folder / "more.csv").write_text(LOG)
    with pytest.raises(TacitError, match="2 logs of interactions"):
        open_interactions(folder)
    with pytest.raises(TacitError, match="There is no"):
        open_interactions(folder / "nowhere")
