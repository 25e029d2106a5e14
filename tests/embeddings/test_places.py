"""Tables by address: in an object store of Lance's own on the disk, and in one that speaks S3's language."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tacit.cli import run
from tacit.embeddings import write as module
from tacit.embeddings.index import indexed
from tacit.embeddings.places import Address, place, whole
from tacit.embeddings.read import Missing, Unfinished, open_table
from tacit.embeddings.search import search
from tacit.embeddings.upkeep import compacted, restored, versions
from tacit.embeddings.words import fused
from tacit.embeddings.write import add, begun, sole_writer, write
from tacit.errors import TacitError

from .conftest import DIM, rows

KEYS = {"AWS_ACCESS_KEY_ID": "key-of-a-test", "AWS_SECRET_ACCESS_KEY": "secret-of-a-test", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def s3():
    """The address of a bucket that a server in this process holds."""
    pytest.importorskip("moto")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, "AWS_ENDPOINT": endpoint, "AWS_ALLOW_HTTP": "true"}.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        yield "s3://bucket/deep"
    server.stop()


@pytest.fixture(params=["file-object-store", "s3"])
def out(request, tmp_path, monkeypatch):
    """The address of a table that is not there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    folder = request.getfixturevalue("s3") if request.param == "s3" else f"file-object-store://{tmp_path}/store"
    return f"{folder}/{tmp_path.name.replace('[', '').replace(']', '')}.lance"


def test_a_table_at_an_address_does_what_one_in_a_folder_does(out, made, vectors, tmp_path):
    with pytest.raises(Missing, match=r"There is no table .*/.*\.lance; embed some data first or correct the address"):
        open_table(out)
    with sole_writer(out) as where:
        table = write(where, rows(vectors[:500]), made, total=500)
        with pytest.raises(TacitError, match="being written by another process"), sole_writer(out):
            pass
    assert str(table.path) == out and np.array_equal(table.vectors(), vectors[:500])
    with pytest.raises(TacitError, match="is there already: 500 vectors"):
        write(out, rows(vectors), made, total=1000)
    with pytest.raises(TacitError, match="another encoder"):
        write(out, rows(vectors), replace(made, encoder="cd" * 32), total=1000, overwrite=True)
    table = add(out, [*rows(vectors, 100)][5:], renew=False)
    assert np.array_equal(table.vectors(), vectors) and [entry.rows for entry in versions(table)] == [500, 1000]
    (first,) = search(table, vectors[:1], 1)
    assert first[0].id == "some/0.png" and len(search(table, vectors[:1], 900, where="label = 'class 0'")[0]) == 167
    assert len(restored(table, versions(table)[0].number)) == 500
    replaced = write(out, rows(-vectors), made, total=1000, overwrite=True)
    assert np.array_equal(compacted(replaced).vectors(), -vectors)
    assert not [file for file in tmp_path.iterdir() if file.name not in ("store", "cache")]  # nothing in the working folder


def test_what_was_broken_off_at_an_address_is_gone_on_with(out, made, vectors, monkeypatch):
    def breaking():
        yield from rows(vectors[:600], 100)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        write(out, breaking(), made, total=1000)
    with pytest.raises(Unfinished, match="is not whole yet"):
        open_table(out)
    done = begun(place(out), made)
    assert done == [f"some/{i}.png" for i in range(600)]
    table = write(out, [*rows(vectors, 100)][6:], made, total=1000, go_on=True)
    assert table.ids() == [f"some/{i}.png" for i in range(1000)] and np.array_equal(table.vectors(), vectors)


def test_what_a_store_has_no_place_for_lies_on_this_machine(out, made, vectors, tmp_path):
    table = write(out, rows(vectors), made, total=1000)
    told = []
    indexed(table, told.append)
    indexed(table, told.append)
    (folder,) = (tmp_path / "cache" / "tacit").iterdir()
    assert len(told) == 1 and {file.suffix for file in folder.iterdir()} == {".ivf", ".json"}
    other = Address(out.replace(".lance", "-2.lance"))
    assert other.with_name("a").parent != folder and other.with_suffix(".left-out.txt").parent == Path()


def test_words_are_found_at_an_address(tmp_path, made, vectors):
    out = f"file-object-store://{tmp_path}/notes.lance"
    texts = [some._replace(texts=[f"note {id}" for id in some.ids]) for some in rows(vectors[:20])]
    table = write(out, texts, replace(made, kind="text"), total=20)
    found = fused(table, "7.png", search(table, vectors[:1], 5)[0], 30)
    assert "some/7.png" in [hit.id for hit in found[:6]] and len(open_table(out)) == 20


def test_the_commands_take_addresses(out, trained, cloth, tmp_path, capsys):
    def done(line):
        assert run(line.split()) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert "holds 96 vectors" in done(f"embed {trained.path} {cloth} --out {out} --device cpu")
    assert len(done(f"search {out} {open_table(out).ids()[0]} --top 3 --sheet {tmp_path}/s.png").splitlines()) == 4
    assert "4 clusters" in done(f"cluster {out} --number 4 --out {tmp_path}/c.parquet")
    assert "10 of the 96" in done(f"curate {out} --keep 10 --out {tmp_path}/m.parquet")
    assert "96 image vectors" in done(f"table {out} --export {tmp_path}/e.npy")
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    kept += b"".join(file.read_bytes() for file in Path(trained.path).rglob("*") if file.is_file())
    assert not [key for key in ("key-of-a-test", "secret-of-a-test") if key.encode() in kept]


@pytest.mark.parametrize("bad", ["s3://key:secret@bucket/a.lance", "az://c/a.lance?sig=secret", "s3://b/a.lance#secret"])
def test_a_key_in_an_address_is_refused_and_not_repeated(bad):
    with pytest.raises(TacitError, match="give keys by the environment") as caught:
        open_table(bad)
    assert "secret" not in str(caught.value)


def test_a_store_that_cannot_be_reached_is_named(made, vectors, monkeypatch):
    for name, value in {**KEYS, "AWS_ENDPOINT": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    for act in (lambda: open_table("s3://bucket/a.lance"), lambda: write("s3://bucket/a.lance", rows(vectors), made, total=1)):
        with pytest.raises(TacitError, match=r"s3://bucket/a.lance cannot be reached \(Connection refused\)") as caught:
            act()
        assert "\n" not in str(caught.value)


def test_a_file_address_is_a_path(tmp_path, made, vectors):
    assert place(f"file://{tmp_path}/a.lance") == tmp_path / "a.lance"
    assert len(write(f"file://{tmp_path}/a.lance", rows(vectors[:9]), made, total=9)) == len(open_table(tmp_path / "a.lance"))
    assert open_table(f"file://{tmp_path}/a.lance").provenance.dim == DIM and os.listdir(tmp_path) == ["a.lance"]  # noqa: PTH208


def test_a_file_has_one_spelling_from_any_folder(tmp_path, monkeypatch):
    """`..` behind a link leads to what lies above the link's end, as the system has it; other links stay as they were named."""
    (tmp_path / "disk" / "photos").mkdir(parents=True)
    (tmp_path / "disk" / "a.png").touch()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "photos")
    (tmp_path / "linked.png").symlink_to(tmp_path / "disk" / "a.png")
    monkeypatch.chdir(tmp_path)
    assert whole("link/../a.png") == str(tmp_path / "disk" / "a.png")
    assert whole("disk/photos/../../linked.png") == whole("linked.png") == whole("./linked.png") == str(tmp_path / "linked.png")
    assert whole("link/b.png") == str(tmp_path / "link" / "b.png")
    assert whole("s3://bucket/../a.png") == "s3://bucket/../a.png"
