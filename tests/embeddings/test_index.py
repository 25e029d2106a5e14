import json
import shutil
import time

import numpy as np
import pytest

from tacit.embeddings import index as module
from tacit.embeddings.index import build, indexed
from tacit.embeddings.read import open_table
from tacit.embeddings.search import nearest_rows, search
from tacit.embeddings.write import add, write
from tacit.errors import TacitError

from .conftest import DIM, rows


@pytest.fixture
def clustered():
    random = np.random.default_rng(0)
    centres = 3 * random.standard_normal((40, DIM))
    return (centres[random.integers(0, 40, 4000)] + random.standard_normal((4000, DIM))).astype(np.float32)


@pytest.fixture
def table(tmp_path, made, clustered):
    return write(tmp_path / "photos.lance", rows(clustered), made, total=4000)


def test_an_index_finds_what_it_says(table, clustered):
    told = []
    index = indexed(table, told.append)
    assert index.about.recall >= module.RECALL and index.about.lists == 100 and "none yet" in told[0]
    queries = clustered[:200] + 0.3 * np.random.default_rng(1).standard_normal((200, DIM)).astype(np.float32)
    near, truth = search(table, queries, 10, index=index), search(table, queries, 10)
    shared = [len({hit.id for hit in a} & {hit.id for hit in b}) / 10 for a, b in zip(near, truth)]
    assert np.mean(shared) > 0.93
    scores = {hit.id: hit.score for hit in truth[0]}
    assert all(scores.get(hit.id, hit.score) == hit.score for hit in near[0])  # what it finds is scored exactly
    own = search(table, clustered[:50], 3, exclude=[f"some/{i}.png" for i in range(50)], index=index)
    assert all(f"some/{i}.png" not in [hit.id for hit in hits] and len(hits) == 3 for i, hits in enumerate(own))


def test_an_index_is_kept_until_the_table_changes(table, clustered, tmp_path):
    told = []
    indexed(table, told.append)
    indexed(table, told.append)
    assert len(told) == 1
    (more,) = rows(clustered[:64])
    grown = add(table.path, [more._replace(ids=[f"new/{i}" for i in range(64)])], renew=False)
    index = indexed(grown, told.append)
    assert "has changed" in told[1] and index.about.rows == 4064
    whole = (tmp_path / ".photos.ivf").read_bytes()
    (tmp_path / ".photos.ivf").write_bytes(whole[: len(whole) // 2])  # a kill, or a disk that was full
    indexed(grown, told.append)
    (tmp_path / ".photos.ivf.json").write_text("{")
    indexed(grown, told.append)
    assert "broken off" in told[2] and "none yet" in told[3]
    about = json.loads((tmp_path / ".photos.ivf.json").read_text())
    assert about["rows"] == 4064 and about["size"] == (tmp_path / ".photos.ivf").stat().st_size


def test_a_table_is_the_same_in_every_time_zone(table, monkeypatch):
    marks = set()
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            marks.add(open_table(table.path).mark)
    time.tzset()
    assert len(marks) == 1


def test_an_index_of_a_table_that_was_here_before_is_made_anew(table, clustered, made):
    told = []
    indexed(table, told.append)
    shutil.rmtree(table.path)
    again = write(table.path, rows(-clustered[::-1]), made, total=4000)
    index = indexed(again, told.append)
    assert again.version == table.version and "has changed" in told[1]
    assert search(again, -clustered[:1], 1, index=index)[0][0].id == "some/3999.png"


@pytest.mark.parametrize("dim", [3, 16])
def test_few_rows_of_any_width_have_an_index(tmp_path, made, dim):
    from dataclasses import replace

    vectors = np.random.default_rng(0).standard_normal((200, dim)).astype(np.float32)
    table = write(tmp_path / "few.lance", rows(vectors), replace(made, dim=dim, similarity="dot"), total=200)
    index = indexed(table, print)
    assert index.about.recall >= module.RECALL
    found, truth = index.candidates(vectors, 10), nearest_rows(table, vectors, 10)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, truth)]) > 0.9


def test_what_has_no_index_says_so(tmp_path, made, vectors):
    from dataclasses import replace

    table = write(tmp_path / "tree.lance", rows(vectors / 100), replace(made, similarity="poincare"), total=1000)
    with pytest.raises(TacitError, match="poincare, which has no index"):
        build(table)
