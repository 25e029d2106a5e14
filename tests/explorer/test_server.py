"""What the server tells, whom, and what it refuses."""

import shutil
import socket

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import tacit
from tacit.errors import TacitError
from tacit.explorer import server as module
from tacit.explorer.exploring import explore
from tacit.explorer.layout import layout
from tacit.explorer.server import application
from tacit.explorer.shown import MOST_ROWS, Shown, matched
from tacit.explorer.watching import Watched

from .conftest import DIM, made_table, rows_of, vectors_of_groups

TOKEN = "a-token"
KNOWN = {"x-tacit-token": TOKEN}


def client(tables, folder, watched=None, headers=KNOWN) -> TestClient:
    app = application(tables, watched, folder, TOKEN)
    return TestClient(app, base_url="http://127.0.0.1:8000", headers=headers)


@pytest.fixture(scope="module")
def shown(trees):
    return Shown(trees, told=lambda sentence: None)


@pytest.fixture
def page(shown, tmp_path):
    return client([shown], tmp_path)


def test_the_page_and_what_it_needs_come_with_headers_that_keep_it_to_itself(page):
    for path, kind in (("/", "text/html"), ("/page.js", "javascript"), ("/page.css", "text/css")):
        answer = page.get(path, headers={"x-tacit-token": ""})
        assert answer.status_code == 200 and kind in answer.headers["content-type"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert page.get("/../pyproject.toml").status_code == page.get("/licences.txt").status_code == 404


def test_points_columns_and_rows(page, shown):
    about = page.get("/api/about").json()
    (table,) = about["tables"]
    assert (table["name"], table["rows"], table["dim"]) == ("trees.lance", 42, DIM) and not about["run"]
    assert [column["title"] for column in table["columns"]] == ["label", "split"]
    points = np.frombuffer(page.get("/api/points").content, "<f4").reshape(-1, 2)
    assert np.array_equal(points, layout(shown.table, told=print).points)
    labels = np.frombuffer(page.get("/api/column?column=0").content, "<i4")
    names = table["columns"][0]["names"]
    assert [names[i] if i >= 0 else None for i in labels[:10]] == [*["ash", "beech", "cedar"] * 3, None]
    first, second = page.get("/api/rows?rows=4,1").json()
    assert (first["id"], first["path"], first["row"]) == ("trees/4.png", "/photos/trees/4.png", 4)
    assert first["known"] == [["label", "beech"], ["split", "train"]]
    assert first["picture"].startswith("data:image/png;base64,") and second["picture"] is None


def test_the_nearest_rows_are_those_of_the_search(page, shown):
    hits = page.get("/api/near?row=3&top=5").json()["hits"]
    expected = tacit.search(shown.table, "trees/3.png", top=5)
    assert [f"trees/{hit['row']}.png" for hit in hits] == [hit.id for hit in expected]
    assert [hit["score"] for hit in hits] == pytest.approx([hit.score for hit in expected])
    assert page.get("/api/near", params={"id": "trees/3.png", "top": 5}).json() == {"row": 3, "hits": hits}


@pytest.mark.parametrize("given", ["", "wrong", "a-toke", "a-tokené"])
@pytest.mark.parametrize("path", ["about", "points", "rows?rows=0", "near?row=0", "column", "changed", "run", "nothing"])
def test_who_lacks_the_token_is_told_nothing(page, path, given):
    answer = page.get(f"/api/{path}", headers={"x-tacit-token": given.encode("latin-1")})
    assert answer.status_code == 403 and "token" in answer.json()["error"]


def test_who_lacks_the_token_writes_nothing(page, tmp_path):
    answer = page.post("/api/selection?name=a", content=np.arange(3, dtype="<i4").tobytes(), headers={"x-tacit-token": "no"})
    assert answer.status_code == 403 and not list(tmp_path.iterdir())
    assert page.post("/api/near-file?suffix=.png", content=b"x", headers={"x-tacit-token": ""}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.1", ""])
def test_another_name_of_this_machine_is_refused(page, host):
    assert page.get("/api/about", headers={"host": host}).status_code == 400
    assert page.get("/", headers={"host": host}).status_code == 400


def test_a_selection_is_a_source(trained, cloth, tmp_path):
    """Saved by the page, opened as what `tacit pretrain` takes."""
    table = tacit.embed(trained, cloth, out=tmp_path / "cloth.lance", batch=96)
    page = client([Shown(table, told=print)], tmp_path / "chosen")
    rows = np.array([5, 7, 7, 40], "<i4")
    said = page.post("/api/selection?name=some", content=rows.tobytes()).json()
    assert said == {"path": str(tmp_path / "chosen" / "some.parquet"), "kept": 3}
    source = tacit.open(said["path"])
    ids = table.ids()
    assert list(source.ids) == [ids[row] for row in (5, 7, 40)]
    reasons = pq.read_table(said["path"])["reason"].to_pylist()
    assert reasons.count("not selected") == 93 and reasons[7] == ""


@pytest.mark.parametrize(
    "name", ["", "../out", "/etc/out", "a/b", "a\\b", ".hidden", "x" * 200, "a\0b", "trees.parquet/../../x", "."]
)
def test_a_selection_goes_nowhere_else(page, tmp_path, name):
    answer = page.post("/api/selection", params={"name": name}, content=np.arange(3, dtype="<i4").tobytes())
    assert answer.status_code == 400 and "cannot name a selection" in answer.json()["error"]
    assert not list(tmp_path.rglob("*"))


def test_a_selection_replaces_nothing(page, tmp_path):
    (tmp_path / "mine.parquet").write_text("mine")
    answer = page.post("/api/selection?name=mine.parquet", content=np.arange(3, dtype="<i4").tobytes())
    assert "is there already" in answer.json()["error"] and (tmp_path / "mine.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    "path, said",
    [
        ("near?row=42&top=1", "0 to 41"), ("near?row=-1&top=1", "whole number"), ("near?row=1&top=101", "1 to 100"),
        ("rows?rows=99", "0 to 41"),
        ("rows?rows=", "numbers of rows"), ("rows?rows=1,x", "numbers of rows"), ("rows?rows=²", "numbers of rows"),
        ("column?column=2", "0 to 1"), ("points?table=1", "0 to 0"), ("near?id=trees/3.pn&top=1", "nearest is 'trees/3.png'"),
        ("near?words=hello&top=1", "cannot be searched in words"), ("near?words=/etc/passwd&top=1", "searched in words"),
        ("matches", "Only one table"), ("run", "No run is watched"),
        ("rows?rows=" + ",".join(["1"] * (MOST_ROWS + 1)), f"{MOST_ROWS} at a time"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_sentence(page, path, said):
    answer = page.get(f"/api/{path}")
    assert answer.status_code == 400 and said in answer.json()["error"]


@pytest.mark.parametrize(
    "rows, said",
    [(b"", "Nothing is selected"), (b"\0\0\0", "four bytes"), (np.array([42], "<i4").tobytes(), "0 to 41"),
     (np.array([-1], "<i4").tobytes(), "0 to 41")],
)  # fmt: skip
def test_a_selection_that_is_none_is_refused(page, rows, said, tmp_path):
    answer = page.post("/api/selection?name=a", content=rows)
    assert answer.status_code == 400 and said in answer.json()["error"] and not list(tmp_path.iterdir())


def test_an_upload_is_searched_by_and_forgotten(trained, cloth, tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    table = tacit.embed(trained, cloth, out=tmp_path / "cloth.lance", batch=96)
    page = client([Shown(table, told=print)], tmp_path)
    row = page.get("/api/rows?rows=17").json()[0]
    with open(row["path"], "rb") as file:  # noqa: PTH123
        hits = page.post("/api/near-file?suffix=.PNG&top=3", content=file.read()).json()["hits"]
    assert hits[0]["row"] == 17 and hits[0]["score"] == pytest.approx(1, abs=1e-3) and len(hits) == 3
    bad = page.post("/api/near-file?suffix=.png&top=3", content=b"no image")
    assert bad.status_code == 400 and "query.png" in bad.json()["error"]
    for suffix in (".csv", ".parquet", "", "/../x.png", ".lance"):
        answer = page.post("/api/near-file", params={"suffix": suffix, "top": 3}, content=b"path\n/etc/passwd\n")
        assert answer.status_code == 400 and "cannot be searched with" in answer.json()["error"]
    assert not list((tmp_path / "temporary").iterdir())


def test_too_large_an_upload_is_refused(trained, cloth, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "UPLOAD", 1000)
    table = tacit.embed(trained, cloth, out=tmp_path / "cloth.lance", batch=96)
    page = client([Shown(table, told=print)], tmp_path)
    for path in ("/api/near-file?suffix=.png&top=1", "/api/selection?name=a"):
        answer = page.post(path, content=bytes(1001))
        assert answer.status_code == 400 and "smaller file" in answer.json()["error"]


def test_columns_of_other_files(trees, tmp_path):
    ids = [f"trees/{i}.png" for i in range(0, 42, 2)]
    file = tmp_path / "found.parquet"
    columns = {"id": ids, "cluster": [i % 3 for i in range(21)], "score": np.arange(21) / 7, "above": [[1]] * 21}
    pq.write_table(pa.table(columns | {"empty": pa.nulls(21, pa.string())}), file)
    shown = Shown(trees, columns=[file], told=print)
    assert [column.title for column in shown.columns] == ["label", "split", "found: cluster", "found: score"]
    *_, cluster, score = shown.columns
    assert cluster.said(2) == "1" and cluster.said(1) is None and cluster.names == ["0", "1", "2"]
    assert score.said(4) == pytest.approx(2 / 7) and score.said(1) is None and score.values.dtype == np.float32


@pytest.mark.parametrize("columns, said", [({"x": [1]}, "no column `id`"), ({"id": ["other"]}, "None of the ids")])
def test_columns_of_something_else_are_refused(trees, tmp_path, columns, said):
    pq.write_table(pa.table(columns), tmp_path / "other.parquet")
    with pytest.raises(TacitError, match=said):
        Shown(trees, columns=[tmp_path / "other.parquet"], told=print)
    (tmp_path / "no.parquet").write_text("no")
    with pytest.raises(TacitError, match="no Parquet file"):
        Shown(trees, columns=[tmp_path / "no.parquet"], told=print)


def test_two_tables_of_the_same_samples(trees, tmp_path):
    """Matched by id, in whatever order they lie."""
    second = made_table(tmp_path / "other.lance", 60, seed=1, encoder="cd" * 32)
    first, other = Shown(trees, told=print), Shown(second, told=print)
    assert matched(first, other).tolist() == [*range(42), *[-1] * 18]
    page = client([first, other], tmp_path)
    assert np.array_equal(np.frombuffer(page.get("/api/matches").content, "<i4"), matched(first, other))
    assert len(page.get("/api/points?table=1").content) == 60 * 8
    from tacit.embeddings.write import write

    strange = write(tmp_path / "strange.lance", rows_of(vectors_of_groups(5), list("abcde")), second.provenance, total=5)
    with pytest.raises(TacitError, match="no id in common"):
        matched(first, Shown(strange, told=print))


def test_a_table_that_is_rewritten_while_it_is_shown(tmp_path):
    """Said, and what still can be told is told; the rest is a sentence and no fault."""
    table = made_table(tmp_path / "trees.lance", 42)
    page = client([Shown(table, told=print)], tmp_path)
    mark = page.get("/api/about").json()["tables"][0]["mark"]
    assert page.get("/api/changed").json() == {"changed": [], "marks": [mark]}
    shutil.rmtree(table.path)
    made_table(tmp_path / "trees.lance", 42, seed=4)  # as many rows, and the same number of a version
    assert page.get("/api/changed").json() == {"changed": ["trees.lance"], "marks": [mark]}
    assert len(page.get("/api/points").content) == 42 * 8
    answer = page.get("/api/rows?rows=1")
    assert answer.status_code == 400 and "open it again" in answer.json()["error"]
    shutil.rmtree(table.path)
    assert page.get("/api/changed").json()["changed"] == ["trees.lance"]
    answer = page.post("/api/renew")
    assert answer.status_code == 400 and "There is no table" in answer.json()["error"]
    assert len(page.get("/api/points").content) == 42 * 8  # what was shown still is


def test_a_table_that_was_changed_is_shown_anew(tmp_path):
    made_table(tmp_path / "trees.lance", 42)
    page = client([Shown(tmp_path / "trees.lance", told=print)], tmp_path)
    before = page.get("/api/about").json()["tables"][0]["mark"]
    shutil.rmtree(tmp_path / "trees.lance")
    made_table(tmp_path / "trees.lance", 30, seed=4)
    (now,) = page.post("/api/renew").json()["marks"]
    about = page.get("/api/about").json()["tables"][0]
    assert now == about["mark"] != before and about["rows"] == 30 and page.get("/api/changed").json()["changed"] == []
    assert len(page.get("/api/points").content) == 30 * 8 and page.get("/api/rows?rows=29").json()[0]["id"] == "trees/29.png"
    assert page.post("/api/renew").json() == {"marks": [now]}


def test_rows_are_told_by_their_cells_and_found_by_a_line_of_a_file(tmp_path):
    samples = pa.table({"age": [20 + i for i in range(40)], "born": ["2001-02-03"] * 40, "job": ['"smith"', None] * 20})
    run = tacit.pretrain(samples, "simclr", out=tmp_path / "run", width=8, depth=1, epochs=1, device="cpu", quiet=True)
    shown = Shown(tacit.embed(run, samples, out=tmp_path / "people.lance"), told=print)
    page = client([shown], tmp_path)
    assert page.get("/api/rows?rows=3").json()[0]["cells"] == [["age", 23], ["born", "2001-02-03"], ["job", None]]
    assert [(column.title, column.said(4)) for column in shown.columns] == [
        ("age", 24.0), ("born", "2001-02-03"), ("job", '"smith"'),
    ]  # fmt: skip
    row = "age,born,job\n27,2001-02-03,\n"
    hits = page.post("/api/near-file?suffix=.csv&top=3", content=row.encode()).json()["hits"]
    assert hits[0]["row"] == 7 and hits[0]["score"] == pytest.approx(1, abs=1e-5)
    for content, said in ((row + "1,2001-02-03,\n", "holds 2 samples"), ("age\n27\n", "born"), ("", "query.csv")):
        answer = page.post("/api/near-file?suffix=.csv&top=3", content=content.encode())
        assert answer.status_code == 400 and said in answer.json()["error"] and "/query" not in answer.json()["error"]


def test_texts_are_told_and_found_by_a_file(tmp_path):
    from tacit.data.text.generated import topics

    samples = topics(42)
    run = tacit.pretrain(samples, "simcse", out=tmp_path / "run", width=8, epochs=1, device="cpu", quiet=True)
    page = client([Shown(tacit.embed(run, samples, out=tmp_path / "texts.lance"), told=print)], tmp_path)
    (said,) = samples.said(np.array([9]))
    assert page.get("/api/rows?rows=9").json()[0]["text"] == said
    hits = page.post("/api/near-file?suffix=.txt&top=2", content=said.encode()).json()["hits"]
    assert hits[0]["row"] == 9 and hits == page.get("/api/near", params={"words": said, "top": 2}).json()["hits"]
    for content in (b"\xff\xfe", b" "):
        answer = page.post("/api/near-file?suffix=.txt&top=2", content=content)
        assert answer.status_code == 400 and "text" in answer.json()["error"]


def test_a_run_is_watched(trained, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.yaml").write_bytes((trained.path / "run.yaml").read_bytes())
    page = client([], tmp_path, Watched(folder))
    told = page.get("/api/run").json()
    assert not told["finished"] and told["now"] == {} and told["curves"] == "" and "not finished" in told["title"]
    lines = [f'{{"stage": 0, "epoch": 0, "step": {step}, "loss": {5 - step}, "spread": null}}\n' for step in (1, 2)]
    log = folder / "metrics.jsonl"
    log.write_text(lines[0] + lines[1][:9])  # the second line is being written
    told = page.get("/api/run").json()
    assert told["now"] == {"epoch": 0, "step": 1, "loss": 4} and told["curves"] == ""
    log.write_text("".join(lines))
    told = page.get("/api/run", params={"seen": told["state"]}).json()
    assert "<svg" in told["curves"] and told["now"]["loss"] == 3
    assert page.get("/api/run", params={"seen": told["state"]}).json() == {"state": told["state"]}
    alarm = '{"stage": 0, "epoch": 1, "step": 3, "loss": 2, "alarm": "collapse", "warning": "It collapsed."}\n'
    log.write_text("".join([*lines, alarm]))
    assert page.get("/api/run").json()["faults"] == ["It collapsed."]
    log.write_text("no log\n")
    assert "no log of a training" in page.get("/api/run").json()["error"]
    assert page.get("/api/points").json()["error"].startswith("No table is shown")


def test_what_cannot_be_explored_is_a_sentence(trees, tmp_path, monkeypatch):
    for what, said in (
        ([], "0 tables and 0 runs"), ([trees] * 3, "3 tables"), ([tmp_path / "none.lance"], "There is no table"),
        ([tmp_path], "holds no run.yaml"), ([tmp_path / "a", tmp_path / "b"], "2 runs"),
    ):  # fmt: skip
        with pytest.raises(TacitError, match=said):
            explore(*what)
    empty = tmp_path / "empty.lance"
    import lancedb

    lancedb.connect(tmp_path).create_table("empty", schema=trees.lance.schema)
    with pytest.raises(TacitError, match="not whole yet"):
        explore(empty)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(TacitError, match="cannot be listened on"):
            explore(trees, port=taken.getsockname()[1])
    with pytest.raises(TacitError, match="cannot be listened on"):
        explore(trees, port=70000)
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    with pytest.raises(TacitError, match=r"pip install 'tacit\[explore\]'"):
        explore(trees)
