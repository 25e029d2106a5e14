"""Search by HTTP equals `tacit search`; a table that changes is taken up, and nothing of this machine is told."""

import shutil

import numpy as np
import pytest

import tacit
from tacit.data.generated import clusters
from tacit.data.text.generated import topics
from tacit.errors import TacitError
from tacit.serving.limits import Refused
from tacit.serving.shelf import Shelf
from tests.serving.conftest import QUICK, asked, sentence_of


def rows(count: int) -> np.ndarray:
    """Vectors whose ids are their numbers."""
    return clusters(80, dim=16).values[:count]


@pytest.fixture(scope="module")
def table(points, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "points.lance"
    tacit.embed(points, rows(50), out=path)
    return path


def test_by_id_vector_and_condition(points, table):
    opened = tacit.search(table, "00003", top=4)
    vector = points.embed(rows(50))[7].numpy()
    with asked(points, table) as client:
        found = client.post("/search", json={"id": "00003", "top": 4}).json()
        assert [(hit["id"], hit["score"]) for hit in found["hits"]] == [(hit.id, pytest.approx(hit.score)) for hit in opened]
        assert found["similarity"] == "cosine" and "path" not in found["hits"][0]
        found = client.post("/search", json={"vector": vector.tolist(), "top": 3}).json()["hits"]
        assert [hit["id"] for hit in found] == [hit.id for hit in tacit.search(table, vector, top=3)]
        assert found[0]["id"] == "00007" and found[0]["score"] == pytest.approx(1)
        among = client.post("/search", json={"vector": vector.tolist(), "where": "id < '00005'", "top": 9}).json()["hits"]
        assert {hit["id"] for hit in among} == {f"0000{n}" for n in range(5)}


def test_by_text_and_by_upload(texts, trained, cloth, tmp_path):
    tacit.embed(texts, topics(60), out=tmp_path / "topics.lance")
    said = topics(60).said(np.array([5]))[0]
    with asked(texts, tmp_path / "topics.lance") as client:
        found = client.post("/search", json={"text": said, "top": 2}).json()["hits"]
        assert found[0]["id"] == "00005" and found[0]["text"] == said and found[0]["thumbnail"] is None
    tacit.embed(trained, cloth, out=tmp_path / "cloth.lance")
    file = min(cloth.rglob("*.png"))
    with asked(trained, tmp_path / "cloth.lance") as client:
        asking = {"files": {"file": ("a.png", file.read_bytes())}, "data": {"top": 2, "thumbnails": "true"}}
        found = client.post("/search/upload", **asking).json()["hits"]
        local = tacit.search(tmp_path / "cloth.lance", str(file), top=2, run=trained)
        assert [hit["id"] for hit in found] == [hit.id for hit in local] and found[0]["thumbnail"]


WRONG = [
    ({}, 400, "Give one of text, id, vector and row"),
    ({"id": "00001", "vector": [1.0] * 16}, 400, "Give one of"),
    ({"id": "0000x"}, 404, "the nearest is '0000"),
    ({"id": "../../etc/passwd"}, 404, "There is no id '../../etc/passwd' in points.lance"),
    ({"id": "/etc/passwd"}, 404, "There is no id"),
    ({"vector": [1.0, 2.0]}, 400, "A query has 2 numbers, those of points.lance have 16"),
    ({"vector": [0.0] * 16}, 400, "all zeros"),
    ({"vector": [1e308] * 16, "where": "nope = 1"}, 400, "where 'nope = 1' cannot be understood"),
    ({"id": "00001", "where": "path LIKE '/%'"}, 400, "where names path"),
    ({"id": "00001", "where": "`PATH` = 'a'"}, 400, "where names path"),
    ({"id": "00001", "top": 0}, 400, "top: input should be greater than or equal to 1"),
    ({"id": "00001", "top": 100_000}, 400, "top: input should be less than"),
    ({"text": "points"}, 400, "embeds vectors and not texts"),
]


def test_what_cannot_be_searched_is_said(points, table):
    with asked(points, table) as client:
        for body, status, said in WRONG:
            sentence = sentence_of(client.post("/search", json=body), status)
            assert said in sentence and str(table.parent) not in sentence
        assert client.post("/search", json={"id": "00001", "where": "label = 'path'"}).status_code == 200


def test_a_table_of_another_encoder_is_refused(points, table, tmp_path):
    other = tacit.pretrain(clusters(60, dim=16), "simclr", out=tmp_path / "other", width=16, seed=1, **QUICK)
    with pytest.raises(TacitError, match="made by another encoder than the run that is served"):
        Shelf(table, other.fingerprint(), lambda sentence: None)
    mine = tmp_path / "mine.lance"
    shutil.copytree(table, mine)
    told = []
    shelf = Shelf(mine, points.fingerprint(), told.append)
    vector = shelf.vector("00001")
    tacit.embed(other, rows(50), out=tmp_path / "theirs.lance")
    shutil.rmtree(mine)
    (tmp_path / "theirs.lance").rename(mine)
    shelf.renew()
    shelf.renew()
    assert len(told) == 1 and "searched on" in told[0] and "another encoder" in str(shelf.why)
    with pytest.raises(Refused, match="was replaced by what this server cannot search") as refusal:
        shelf.search(vector, 3, "", [])
    assert refusal.value.status == 409


def test_what_is_added_is_taken_up_and_what_was_open_stays_whole(points, table, tmp_path):
    mine = tmp_path / "mine.lance"
    shutil.copytree(table, mine)
    shelf = Shelf(mine, points.fingerprint(), lambda sentence: None)
    before = shelf.table
    tacit.embed(points, rows(80), out=mine, append=True)
    assert shelf.table is before and len(shelf.search(np.ones(16), 100, "", [])) == 50
    shelf.renew()
    assert len(shelf.search(np.ones(16), 100, "", [])) == 80
    now = shelf.table
    tacit.embed(points, rows(30), out=mine, overwrite=True)
    assert len(shelf.search(np.ones(16), 100, "", [])) == 30  # the files of the version before are gone
    assert shelf.table is not now
    kept = shelf.table
    mine.rename(tmp_path / "away.lance")
    shelf.renew()
    assert shelf.table is kept


def test_a_table_that_is_replaced_again_while_it_is_opened_is_opened_again(points, table, tmp_path, monkeypatch):
    mine = tmp_path / "mine.lance"
    shutil.copytree(table, mine)
    shelf = Shelf(mine, points.fingerprint(), lambda sentence: None)
    tacit.embed(points, rows(30), out=mine, overwrite=True)
    opened, failures = shelf._open, []

    def broken_once():
        if not failures:
            failures.append(TacitError(f"{mine} is no whole table of Tacit's."))
            raise failures[0]
        return opened()

    monkeypatch.setattr(shelf, "_open", broken_once)
    assert len(shelf.search(np.ones(16), 100, "", [])) == 30
    assert failures and shelf.why is None


def test_a_table_that_is_taken_away_is_said_once_patience_ends(points, table, tmp_path, monkeypatch):
    mine = tmp_path / "mine.lance"
    shutil.copytree(table, mine)
    shelf = Shelf(mine, points.fingerprint(), lambda sentence: None)
    monkeypatch.setattr("tacit.serving.shelf.PATIENCE", 0.1)
    shelf.table.held = None
    shutil.rmtree(mine)
    with pytest.raises(Refused, match="was replaced by what this server cannot search"):
        shelf.vector("00001")


def test_a_table_of_tokens_is_refused_at_the_start(texts, tmp_path):
    made = tacit.pretrain(topics(60), "simcse", out=tmp_path / "run", encoder="text_transformer", width=16, depth=1, **QUICK)
    tacit.embed(made, topics(20), out=tmp_path / "tokens.lance", tokens=True)
    with pytest.raises(TacitError, match="holds vectors of tokens"):
        Shelf(tmp_path / "tokens.lance", made.fingerprint(), lambda sentence: None)


def test_an_address_of_a_folder_is_one(points, table):
    with asked(points, f"file://{table}") as client:
        assert len(client.post("/search", json={"id": "00001", "top": 3}).json()["hits"]) == 3


@pytest.mark.parametrize("store", ["file-object-store", "s3"])
def test_a_table_in_an_object_store(store, points, tmp_path, monkeypatch, request):
    """It is searched, said by its name alone, and taken up once it has changed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = request.getfixturevalue("s3") if store == "s3" else f"file-object-store://{tmp_path}/store"
    address = f"{folder}/points.lance"
    tacit.embed(points, rows(30), out=address)
    with asked(points, address) as client:
        vector = points.embed(rows(50))[7].numpy().tolist()
        assert client.post("/search", json={"vector": vector, "top": 2}).json()["hits"][0]["id"] == "00007"
        said = sentence_of(client.post("/search", json={"vector": vector, "where": "nope = 1"}), 400)
        assert "nope" in said and folder not in said
        shelf = client.app.state.service.shelf
        assert shelf.every == 10
        tacit.embed(points, rows(40), out=address, append=True)
        shelf.renew()
        assert len(shelf.table) == 40 and shelf.why is None
        shelf.renew()
        assert len(shelf.table) == 40


def test_an_address_that_cannot_be_served_is_a_sentence(points):
    for address, said in (
        ("s3://key:secret@bucket/a.lance", "give keys by the environment"),
        ("file:///no/a.lance", "no table"),
    ):
        with pytest.raises(TacitError, match=said):
            Shelf(address, points.fingerprint(), lambda sentence: None)


def test_the_page_of_routes_loads_nothing(points, table):
    with asked(points, table, key="a-key-of-more-than-16-letters") as client:
        page = client.get("/docs")
        assert page.status_code == 200 and page.headers["content-security-policy"].startswith("default-src 'none'")
        routes = list(client.get("/openapi.json").json()["paths"])
        assert routes and all(f"<code>{path}</code>" in page.text for path in routes)
        assert "<script" not in page.text and "src=" not in page.text and "https://" not in page.text
        assert "<code>data[].embedding</code>" in page.text and "<code>table.rows</code>" in page.text
        assert (
            "Authorization: Bearer KEY" in page.text and "-F files=@FILE" in page.text and "list of list of number" in page.text
        )
