"""What the cells of rows say is what their file said."""

import json

import numpy as np
import pyarrow as pa

from tacit.data.tabular import cells as module
from tacit.data.tabular.cells import cells
from tacit.data.tabular.rows import from_arrow, from_files


def test_cells_are_what_the_file_says(tmp_path):
    lines = ['7,"a ""quoted"" word",2001-02-03,true', "7.25,é,2001-02-04,false", "-1e30,,,", "0,x\\y,1969-12-31,true"]
    (tmp_path / "a.csv").write_text("number,word,day,truth\n" + "\n".join(lines) + "\n")
    told = [json.loads(row) for row in cells(from_files([tmp_path / "a.csv"], "a"), np.array([3, 0, 1, 2]))]
    assert told == [
        {"number": 0, "word": "x\\y", "day": "1969-12-31", "truth": "true"},
        {"number": 7, "word": 'a "quoted" word', "day": "2001-02-03", "truth": "true"},
        {"number": 7.25, "word": "é", "day": "2001-02-04", "truth": "false"},
        {"number": -1e30, "word": None, "day": None, "truth": None},
    ]


def test_moments_long_words_and_many_values(monkeypatch):
    monkeypatch.setattr(module, "COLUMNS", 3)
    moment = np.datetime64("2020-01-01T05:06:07")
    columns = {
        "at": pa.array([moment] * 2000),
        "long": ["ab" * 100] * 2000,
        "name": [f"n{i}" for i in range(2000)],
        "more": [1] * 2000,
    }
    samples = from_arrow(pa.table(columns))
    (first, last) = (json.loads(row) for row in cells(samples, np.array([0, 1999])))
    assert first["at"] == "2020-01-01T05:06:07" and first["long"] == "ab" * 40 and "more" not in first
    assert last["name"] == "…"  # more values than are told apart


def test_a_row_may_lack_what_a_run_knows():
    whole = from_arrow(pa.table({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]}))
    row = from_arrow(pa.table({"a": [1], "b": pa.array([None], pa.string()), "d": [3]}))
    assert row.names == ["a", "d"]
    fitted = row.fitted(whole.facts())
    assert fitted.names == ["a", "d", "b"] and fitted.types[2] == "category"
    content, bad = fitted.read(np.array([0]))
    assert not bad and content.codes[0, 2] == 0 and content.numbers[0, 0] == 1
    assert whole.fitted(whole.facts()) is whole
