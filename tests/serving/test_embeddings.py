"""What is served equals what is embedded here, for every kind of data; what cannot be embedded is said in a sentence."""

import base64
import io
import json

import numpy as np
import pytest
import soundfile

import tacit
from tacit.data.generated import clusters, table, tiny_images
from tacit.data.generated import write as write_images
from tacit.data.series.generated import rhythms
from tacit.data.sounds.generated import diphthongs
from tacit.data.text.generated import topics
from tests.serving.conftest import QUICK, asked, png, sentence_of, vectors_of


def near(served: np.ndarray, local) -> bool:
    return served.shape == tuple(local.shape) and np.abs(served - np.asarray(local)).max() < 1e-5


def upload(client, files, **data):
    return client.post("/v1/embeddings/upload", files=[("files", file) for file in files], data=data)


def test_texts(texts):
    said = topics(40).said(np.arange(40))
    local = texts.embed(topics(40)).numpy()
    with asked(texts) as client:
        answer = client.post("/v1/embeddings", json={"input": said, "model": "topics"})
        assert near(vectors_of(answer), local)
        usage = answer.json()["usage"]
        assert usage["prompt_tokens"] == usage["total_tokens"] == _tokens(texts, said)
        coded = client.post("/v1/embeddings", json={"input": said[0], "encoding_format": "base64"}).json()
        assert near(np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")[None], local[:1])
        assert coded["object"] == "list" and coded["data"][0]["object"] == "embedding" and coded["model"] == "topics"


def _tokens(run, said):
    samples = run.open(topics(len(said)))
    return int(samples.read(np.arange(len(said)))[0].offsets[-1])


def test_vectors(points):
    values = clusters(30, dim=16).values
    local = points.embed(clusters(30, dim=16)).numpy()
    with asked(points) as client:
        assert near(vectors_of(client.post("/v1/embeddings", json={"input": values.tolist()})), local)
        assert near(vectors_of(client.post("/v1/embeddings", json={"input": values[3].tolist()})), local[3:4])
        file = io.BytesIO()
        np.save(file, values)
        assert near(vectors_of(upload(client, [("rows.npy", file.getvalue())])), local)
        assert "vectors of 16 numbers" in sentence_of(client.post("/v1/embeddings", json={"input": [[1.0, 2.0]]}), 400)
        huge = client.post("/v1/embeddings", json={"input": [[1e300] * 16]})
        assert "float32" in sentence_of(huge, 400)


def test_images(trained, cloth):
    files = sorted(cloth.rglob("*.png"))[:12]
    local = trained.embed(cloth).numpy()
    opened = trained.open(cloth)
    rows = [opened.ids.index(file.relative_to(cloth).as_posix()) for file in files]
    with asked(trained) as client:
        served = vectors_of(upload(client, [(file.name, file.read_bytes()) for file in files]))
        assert near(served, local[rows])
        assert near(vectors_of(upload(client, [("no suffix", files[0].read_bytes())])), local[rows[:1]])


def test_sounds(tmp_path):
    run = tacit.pretrain(diphthongs(40), "simclr", out=tmp_path / "run", encoder="spectrogram_cnn", width=8, **QUICK)
    made = np.random.default_rng(0)
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number, length in enumerate((8000, 12000, 16000)):
        soundfile.write(folder / f"{number}.wav", made.normal(0, 0.1, (length, 2)), 22050)
    local = run.embed(folder).numpy()
    with asked(run) as client:
        files = [(file.name, file.read_bytes()) for file in sorted(folder.iterdir())]
        assert near(vectors_of(upload(client, files)), local)
        assert "files[0] (a.wav): it cannot be read" in sentence_of(upload(client, [("a.wav", b"RIFF nonsense")]), 400)


def test_series(tmp_path):
    samples = rhythms(60)
    run = tacit.pretrain(samples, "simclr", out=tmp_path / "run", width=8, depth=2, **QUICK)
    block = np.stack([samples.read(np.array([i]))[0].values[0].numpy() for i in range(5)])
    np.save(tmp_path / "five.npy", block)
    local = run.embed(str(tmp_path / "five.npy"), kind="series").numpy()
    with asked(run) as client:
        content = (tmp_path / "five.npy").read_bytes()
        assert near(vectors_of(upload(client, [("five.npy", content)])), local)
        twice = vectors_of(upload(client, [("five.npy", content), ("again.npy", content)]))
        assert near(twice, np.concatenate([local, local]))
        flat = io.BytesIO()
        np.save(flat, np.ones_like(block))
        assert "constant" in sentence_of(upload(client, [("flat.npy", flat.getvalue())]), 400)
        assert ".csv, .npy, .ts, .tsv" in sentence_of(upload(client, [("five.npz", content)]), 400)


def test_rows(tmp_path):
    samples = table(120)
    run = tacit.pretrain(samples, "vicreg", out=tmp_path / "run", width=16, **QUICK)
    types = {column["name"]: column["type"] for column in run.facts.more["columns"]}
    columns = list(types)
    said = {"number": "{}.5", "date": "2020-03-0{}", "boolean": "true", "category": "{}"}
    rows = [["" if (i + j) % 7 == 0 else said[types[name]].format(i) for j, name in enumerate(columns)] for i in range(1, 9)]
    lines = [",".join(row) for row in (columns, *rows)]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    local = run.embed(tmp_path / "rows.csv", kind="table").numpy()
    cells = [dict(zip(columns, line.split(","))) for line in lines[1:]]
    given = [{name: _as_json(cell) for name, cell in row.items()} for row in cells]
    with asked(run) as client:
        assert near(vectors_of(upload(client, [("rows.csv", (tmp_path / "rows.csv").read_bytes())])), local)
        assert near(vectors_of(client.post("/v1/embeddings", json={"input": given})), local)
        del given[1][columns[0]]
        said = sentence_of(client.post("/v1/embeddings", json={"input": given}), 400)
        assert "input[1] lacks 1 of the" in said and columns[0] in said


def _as_json(cell: str):
    if not cell or cell == "true":
        return cell == "true" or None
    return float(cell) if "-" not in cell else cell


def test_both_sides_of_pairs(tmp_path):
    from tacit.data.captioned.opening import of_pair

    images = tiny_images(64)
    pairs = of_pair(images, [f"{images.classes[label]} cloth" for label in images.labels.tolist()])
    run = tacit.pretrain(pairs, "align", out=tmp_path / "run", **QUICK)
    write_images(tiny_images(4), tmp_path / "photos")
    tacit.embed(run, tmp_path / "photos", out=tmp_path / "photos.lance")
    with asked(run, tmp_path / "photos.lance") as client:
        assert client.get("/health").json()["kinds"] == ["image", "text"]
        picture = png(images.pixels[0])
        seen = vectors_of(upload(client, [("a.png", picture)]))
        read = vectors_of(client.post("/v1/embeddings", json={"input": "aslant cloth"}))
        assert seen.shape == read.shape
        hits = client.post("/search", json={"text": "aslant cloth", "top": 2}).json()["hits"]
        local = tacit.search(tmp_path / "photos.lance", "aslant cloth", top=2, run=run)
        assert [hit["id"] for hit in hits] == [hit.id for hit in local]


def test_a_matryoshka_is_cut_where_it_was_trained(tmp_path):
    run = tacit.pretrain(clusters(80, dim=16), "matryoshka", out=tmp_path / "nested", width=16, **QUICK)
    values = clusters(4, dim=16).values.tolist()
    with asked(run) as client:
        whole = vectors_of(client.post("/v1/embeddings", json={"input": values}))
        cut = vectors_of(client.post("/v1/embeddings", json={"input": values, "dimensions": 8}))
        assert np.allclose(cut, whole[:, :8], atol=1e-6)
        refusal = client.post("/v1/embeddings", json={"input": values, "dimensions": 5})
        assert "nested has 8, " in sentence_of(refusal, 400) and refusal.json()["error"]["param"] == "dimensions"


def test_a_run_of_a_kind_that_does_not_come_one_by_one_is_refused(tmp_path):
    from tacit.data.networks.triples import generated_groups
    from tacit.errors import TacitError
    from tacit.serving.limits import Limits
    from tacit.serving.model import Model

    run = tacit.pretrain(generated_groups(), "transe", out=tmp_path / "run", **QUICK)
    with pytest.raises(TacitError, match="of kind triples, which do not come one by one"):
        Model(run, Limits())


WRONG = [
    ({"input": []}, 400, "input is empty"),
    ({"input": [1, 2, 3]}, 400, "token numbers"),
    ({"input": [[1, 2], [3]]}, 400, "token numbers"),
    ({"input": ["a", "  "]}, 400, "input[1] is an empty text"),
    ({"input": "a \ud800"}, 400, "half of a character"),
    ({"input": "a", "model": "gpt"}, 404, "no model 'gpt' here, only 'topics'"),
    ({"input": "a", "dimensions": 3}, 400, "only runs of the method matryoshka"),
    ({"input": "a", "encoding_format": "int8"}, 400, "encoding_format"),
    ({"input": "a", "dimension": 3}, 400, "dimension: extra inputs"),
    ({"input": {"a": 1}}, 400, "input"),
    ({"input": [{"a": 1}]}, 400, "embeds texts and not rows"),
    ({}, 400, "input: field required"),
]


def test_what_cannot_be_embedded_is_said(texts):
    with asked(texts, samples=8) as client:
        as_json = {"content-type": "application/json"}
        for body, status, said in WRONG:
            answer = client.post("/v1/embeddings", content=json.dumps(body), headers=as_json)  # a lone surrogate as an escape
            assert said in sentence_of(answer, status)
        assert "no JSON" in sentence_of(client.post("/v1/embeddings", content=b'{"input": ', headers=as_json), 400)
        as_form = {"content-type": "application/x-www-form-urlencoded"}
        unread = client.post("/v1/embeddings", content=b'{"input": ["a"]}', headers=as_form)
        assert "send it with Content-Type: application/json" in sentence_of(unread, 400)
        assert "samples" in sentence_of(client.post("/v1/embeddings", json={"input": ["a"] * 9}), 413)
        assert "not sent as files" in sentence_of(upload(client, [("a.txt", b"hello")]), 400)
        assert "takes no GET" in sentence_of(client.get("/v1/embeddings"), 405)
        assert "no page '/etc/passwd'" in sentence_of(client.get("/../../etc/passwd"), 404)
        assert "searches no table" in sentence_of(client.post("/search", json={"text": "a"}), 404)


def test_what_is_no_image_costs_the_others_nothing(trained, pictures):
    with asked(trained) as client:
        refused = upload(client, [("a.png", pictures[0]), ("../b.png", b"<html>")])
        assert "files[1] (b.png): it cannot be read (it is not an image)" in sentence_of(refused, 400)
        cut = upload(client, [("a.png", pictures[0]), ("half.png", pictures[1][: len(pictures[1]) // 2])])
        assert "Sample 1 of the request cannot be read" in sentence_of(cut, 400)
        assert "is empty" in sentence_of(upload(client, [("a.png", b"")]), 400)
        assert "texts" in sentence_of(client.post("/v1/embeddings", json={"input": "a"}), 400)
        assert len(vectors_of(upload(client, [("a.png", pictures[0])]))) == 1


def test_a_decompression_bomb_is_refused_by_its_header(trained, pictures):
    bomb = png(np.zeros((3000, 3000), np.uint8))
    assert len(bomb) < 2**15
    with asked(trained, pixels=1_000_000) as client:
        said = sentence_of(upload(client, [("a.png", pictures[0]), ("bomb.png", bomb)]), 413)
        assert "3000 × 3000 pixels, and 1 million are taken" in said
    with asked(trained, pixels=9_000_000) as client:
        assert "too many pixels together" in sentence_of(upload(client, [("bomb.png", bomb)] * 17), 413)


def test_a_file_that_claims_more_than_it_holds(points, tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 16)})
    with asked(points) as client:
        said = sentence_of(upload(client, [("rows.npy", file.getvalue() + bytes(64))]), 400)
        assert "files[0] (rows.npy)" in said and "/tmp" not in said
        objects = io.BytesIO()
        np.save(objects, np.array([{"a": 1}], object), allow_pickle=True)
        sentence_of(upload(client, [("rows.npy", objects.getvalue())]), 400)
