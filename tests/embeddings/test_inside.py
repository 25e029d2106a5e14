import json
import shutil

import numpy as np
import pytest

from tacit.applying import searching
from tacit.embeddings import index as module
from tacit.embeddings.inside import inside
from tacit.embeddings.read import open_table
from tacit.embeddings.search import search
from tacit.embeddings.write import add, write

from .conftest import DIM, rows


@pytest.fixture
def clustered():
    random = np.random.default_rng(0)
    centres = 3 * random.standard_normal((20, DIM))
    return (centres[random.integers(0, 20, 2000)] + random.standard_normal((2000, DIM))).astype(np.float32)


@pytest.fixture
def table(tmp_path, made, clustered):
    return write(tmp_path / "photos.lance", rows(clustered), made, total=2000)


def test_an_index_in_the_table_finds_what_it_says_and_grows_with_it(table, clustered, tmp_path):
    told = []
    index = inside(table, told.append)
    assert index.about.recall >= module.RECALL and "none yet" in told[0] and len(open_table(table.path)) == 2000
    queries = clustered[:130] + 0.3 * np.random.default_rng(1).standard_normal((130, DIM)).astype(np.float32)
    near, truth = search(table, queries, 10, index=index), search(table, queries, 10)
    shared = [len({hit.id for hit in a} & {hit.id for hit in b}) / 10 for a, b in zip(near, truth)]
    assert np.mean(shared) > 0.93
    scores = {hit.id: hit.score for hit in truth[0]}
    assert all(scores.get(hit.id, hit.score) == hit.score for hit in near[0])  # what it finds is scored exactly
    again = inside(open_table(table.path), told.append)
    assert again.about == index.about and len(told) == 1  # neither made nor measured again
    more = [some._replace(ids=[f"new/{id}" for id in some.ids]) for some in rows(-clustered[:64])]
    grown = add(table.path, more, renew=False)
    index = inside(grown, told.append)
    assert "rows have come since" in told[1] and index.about.rows == 2064
    (hits,) = search(index.table, -clustered[:1], 1, index=index)
    assert hits[0].id == "new/some/0.png"
    (tmp_path / ".photos.inside.json").write_text("{")  # half written
    assert inside(open_table(table.path), told.append).about == index.about and len(told) == 2
    assert json.loads((tmp_path / ".photos.inside.json").read_text())["rows"] == 2064


def test_one_query_and_fewer_rows_than_are_asked_for(table):
    index = inside(table, lambda sentence: None)
    found = index.candidates(table.vectors()[:1], 3000)
    assert found.shape == (1, 3000) and found[0, 0] == 0 and (found[0] >= 0).sum() == len({*found[0].tolist()} - {-1})


def test_the_index_is_chosen_by_the_memory(table, monkeypatch):
    monkeypatch.setattr(searching, "LARGE", 1000)
    told = []
    monkeypatch.setattr(searching, "free_memory", lambda: 4 * module.needed(table))
    beside = searching.search(table, table.ids()[0], told=told.append)
    monkeypatch.setattr(searching, "free_memory", lambda: module.needed(table))
    within = searching.search(table, table.ids()[0], told=told.append)
    assert "beside" in told[0] and "inside" in told[2] and "large for the memory here" in told[2]
    assert [said for said in (told[1], told[3]) if "Approximate: the index finds" in said] == [told[1], told[3]]
    assert len({hit.id for hit in beside} & {hit.id for hit in within}) >= 8


def test_what_was_measured_of_a_table_that_was_here_before_is_measured_anew(table, clustered, made, tmp_path):
    inside(table, print)
    about = tmp_path / ".photos.inside.json"
    before = about.read_text()
    shutil.rmtree(table.path)
    again = inside(write(table.path, rows(-clustered[::-1]), made, total=2000), print).table
    assert json.loads(about.read_text())["table"] == again.mark != json.loads(before)["table"]
