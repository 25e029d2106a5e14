"""`embed` and `search`: a run's vectors in a table, and the nearest of them."""

import io
import shutil
import tarfile

import numpy as np
import pytest
from PIL import Image

from tacit.applying.embedding import embed
from tacit.applying.searching import search, search_all
from tacit.data.generated import tiny_images, write
from tacit.embeddings.read import open_table
from tacit.errors import TacitError
from tacit.pretraining import pretrain
from tacit.run import Run


@pytest.fixture(scope="module")
def table(trained, cloth, tmp_path_factory):
    return embed(trained, cloth, out=tmp_path_factory.mktemp("tables") / "cloth.lance", batch=20)


def test_a_table_holds_what_the_run_embeds(trained, cloth, table):
    samples = trained.open(cloth)
    assert table.ids() == list(samples.ids)
    np.testing.assert_allclose(table.vectors(), trained.embed(cloth).numpy(), rtol=1e-4, atol=1e-5)
    made = table.provenance
    assert (made.run, made.encoder, made.similarity, made.kind) == (
        str(trained.path), trained.fingerprint(), "cosine", "image",
    )  # fmt: skip
    row = table.row(samples.ids[30])
    assert row.label == samples.ids[30].split("/")[0] and row.path == str(cloth / samples.ids[30]) and row.thumbnail


def test_a_table_finds_its_run_from_any_folder(trained, cloth, tmp_path, monkeypatch):
    monkeypatch.chdir(trained.path.parent)
    made = embed(Run(trained.path.name, "cpu"), cloth, out=tmp_path / "cloth.lance")
    assert made.provenance.run == str(trained.path.resolve())
    monkeypatch.chdir(tmp_path)
    assert len(search(made, str(next(cloth.rglob("*.png"))), top=3)) == 3


def test_an_id_is_not_its_own_neighbour(trained, cloth, table):
    query = table.ids()[7]
    hits = search(table, query, top=5)
    z = trained.embed(cloth).numpy().astype(np.float64)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    scores = z @ z[7]
    scores[7] = -2
    best = np.argsort(-scores)[:5]
    assert [hit.id for hit in hits] == [table.ids()[i] for i in best]
    np.testing.assert_allclose([hit.score for hit in hits], scores[best], atol=1e-5)


def test_all_but_itself(table):
    assert len(search(table, table.ids()[0], top=1000)) == len(table) - 1


def test_a_file_finds_itself_first(cloth, table):
    name = table.ids()[12]
    first, second = search(table.path, str(cloth / name), top=2)
    assert first.id == name and first.score == pytest.approx(1, abs=1e-5) and second.score < first.score


def test_a_vector_finds_its_row(table, tmp_path):
    vector = table.vectors()[4]
    np.save(tmp_path / "query.npy", vector)
    for query in (vector, 3 * vector, str(tmp_path / "query.npy"), ",".join(map(str, vector.tolist()))):
        assert search(table, query, top=1)[0].id == table.ids()[4]


def test_a_contact_sheet_is_written(cloth, table, tmp_path):
    search(table, table.ids()[0], sheet=tmp_path / "deep" / "id.png")
    search(table, str(cloth / table.ids()[0]), sheet=tmp_path / "file.png")
    search(table, table.vectors()[0], sheet=tmp_path / "vector.png")
    for name in ("deep/id", "file", "vector"):
        with Image.open(tmp_path / f"{name}.png") as sheet:
            assert min(sheet.size) > 50


def test_what_is_corrupt_is_left_out_and_listed(trained, tmp_path):
    write(tiny_images(150), tmp_path / "photos")
    files = sorted((tmp_path / "photos").rglob("*.png"))
    files[0].write_bytes(b"")  # also the first that is looked at
    made = embed(trained, tmp_path / "photos", out=tmp_path / "photos.lance", batch=32)
    name = str(files[0].relative_to(tmp_path / "photos"))
    assert len(made) == 149 and name not in made.ids()
    (line,) = (tmp_path / "photos.left-out.txt").read_text().splitlines()
    assert line.split("\t")[0] == name and line.split("\t")[1]


def test_above_one_per_cent_nothing_is_written(trained, tmp_path):
    write(tiny_images(150), tmp_path / "photos")
    for file in sorted((tmp_path / "photos").rglob("*.png"))[-2:]:
        file.write_bytes(b"")
    with pytest.raises(TacitError, match=r"More than 1% of .* cannot be read, 2 so far.*mend or remove them"):
        embed(trained, tmp_path / "photos", out=tmp_path / "photos.lance", batch=32)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_list_of_what_was_left_out_goes_with_its_table(trained, tmp_path):
    write(tiny_images(150), tmp_path / "photos")
    file = sorted((tmp_path / "photos").rglob("*.png"))[3]
    whole = file.read_bytes()
    file.write_bytes(b"")
    embed(trained, tmp_path / "photos", out=tmp_path / "photos.lance")
    file.write_bytes(whole)
    embed(trained, tmp_path / "photos", out=tmp_path / "photos.lance", overwrite=True)
    assert not (tmp_path / "photos.left-out.txt").exists()


def test_another_encoder(trained, cloth, table, tmp_path):
    small = {"encoder": "small_resnet", "width": 8, "epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32"}
    other = pretrain(cloth, out=tmp_path / "run", seed=1, quiet=True, **small)
    with pytest.raises(TacitError, match=f"was made by another encoder than that of {other.path}; give --run {trained.path}"):
        search(table, str(cloth / table.ids()[0]), run=other)
    with pytest.raises(TacitError, match="another encoder"):
        embed(other, cloth, out=table.path, overwrite=True)
    assert len(search(table, table.ids()[0], run=other)) == 10  # a row needs no encoder


def test_a_run_that_has_moved_is_named(trained, cloth, tmp_path):
    shutil.copytree(trained.path, tmp_path / "run")
    moved = embed(Run(tmp_path / "run", "cpu"), cloth, out=tmp_path / "cloth.lance")
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    query = str(cloth / moved.ids()[0])
    with pytest.raises(TacitError, match="holds no run"):
        search(moved, query)
    assert search(moved, query, run=tmp_path / "elsewhere")[0].id == moved.ids()[0]


def test_what_is_refused(trained, cloth, table, tmp_path):
    with pytest.raises(TacitError, match="--batch is 0"):
        embed(trained, cloth, out=tmp_path / "a.lance", batch=0)
    with pytest.raises(TacitError, match="overwrite"):
        embed(trained, cloth, out=table.path)
    with pytest.raises(TacitError, match="the nearest id is"):
        search(table, "acros/00000.png")
    with pytest.raises(TacitError, match="sheet does not end as the name of a picture"):
        search(table, table.ids()[0], sheet=tmp_path / "sheet")
    with pytest.raises(TacitError, match="0 hits"):
        search(table, table.ids()[0], top=0)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.png").write_bytes(b"")
    with pytest.raises(TacitError, match="None of the 1 images"):
        embed(trained, tmp_path / "empty", out=tmp_path / "a.lance")
    assert not (tmp_path / "a.lance").exists()


def test_what_was_broken_off_is_gone_on_with(trained, cloth, table, tmp_path, monkeypatch):
    out, samples = tmp_path / "cloth.lance", trained.open(cloth)
    represent, calls, told = Run.represent, [], []

    def breaking(self, content, index, *rest):
        calls.append(len(index))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return represent(self, content, index, *rest)

    monkeypatch.setattr(Run, "represent", breaking)
    with pytest.raises(KeyboardInterrupt):
        embed(trained, cloth, out=out, batch=10)
    with pytest.raises(TacitError, match="is not whole yet"):
        open_table(out)
    made = embed(trained, cloth, out=out, batch=10, told=told.append)
    assert made.ids() == list(samples.ids) and f"20 of {len(samples)} samples" in told[0]
    np.testing.assert_allclose(made.vectors(), table.vectors(), rtol=1e-4, atol=1e-5)
    assert sum(calls) == 1 + 30 + 1 + len(samples) - 20  # the first one of each call tells the width


def test_a_table_is_added_to_by_id(trained, tmp_path):
    write(tiny_images(60), tmp_path / "photos")
    files = sorted((tmp_path / "photos").rglob("*.png"))
    away = tmp_path / "away"
    away.mkdir()
    for file in files[:20]:
        file.rename(away / file.name)
    out = tmp_path / "photos.lance"
    first = embed(trained, tmp_path / "photos", out=out)
    assert len(first) == 40
    for file in files[:20]:
        (away / file.name).rename(file)
    same = first.row(first.ids()[0])
    Image.new("RGB", (32, 32), "red").save(tmp_path / "photos" / same.id)
    second = embed(trained, tmp_path / "photos", out=out, append=True)
    assert len(second) == 60 == len(set(second.ids())) and (second.row(same.id).vector == same.vector).all()
    third = embed(trained, tmp_path / "photos", out=out, renew=True)
    assert len(third) == 60 == len(set(third.ids())) and not np.allclose(third.row(same.id).vector, same.vector)
    with pytest.raises(TacitError, match="give one"):
        embed(trained, tmp_path / "photos", out=out, renew=True, overwrite=True)
    again = embed(trained, tmp_path / "photos", out=tmp_path / "fresh.lance", append=True)  # where none is there, a new one
    assert len(again) == 60


def test_a_table_names_its_files_from_any_folder(trained, cloth, tmp_path, monkeypatch):
    monkeypatch.chdir(cloth.parent)
    made = embed(trained, cloth.name, out=tmp_path / "cloth.lance")
    name = made.ids()[5]
    assert made.provenance.source == str(cloth) and made.row(name).path == str(cloth / name)
    monkeypatch.chdir(cloth)
    assert search(made, name, top=1)  # one file, by its id and by its path
    assert len(embed(trained, cloth, out=made.path, append=True)) == len(made)


def test_numbers_of_rows_are_not_mixed_with_those_of_another_source(trained, tmp_path, monkeypatch):
    pixels = tiny_images(40).pixels
    np.save(tmp_path / "a.npy", pixels[:20])
    np.save(tmp_path / "b.npy", pixels[20:])
    monkeypatch.chdir(tmp_path)
    made = embed(trained, "a.npy", out=tmp_path / "a.lance")
    for how in ({"append": True}, {"renew": True}):
        with pytest.raises(TacitError, match=r"a.lance holds '00000' of .*a.npy, and that of .*b.npy is another sample, by"):
            embed(trained, tmp_path / "b.npy", out=made.path, **how)
    np.save(tmp_path / "a.npy", pixels[20:])
    with pytest.raises(TacitError, match=r"another sample, by its vector; give --renew to embed anew what it has"):
        embed(trained, tmp_path / "a.npy", out=made.path, append=True)
    assert np.array_equal(open_table(made.path).vectors(), made.vectors())
    np.save(tmp_path / "moved.npy", pixels)  # the same samples, and more
    grown = embed(trained, tmp_path / "moved.npy", out=made.path, append=True)
    assert len(grown) == 40 and np.array_equal(grown.vectors()[:20], made.vectors())
    embed(trained, tmp_path / "a.npy", out=made.path, renew=True)
    assert np.allclose(open_table(made.path).vectors()[:20], grown.vectors()[20:], atol=1e-5)


def test_arrays_in_memory_and_shards_are_told_apart_by_what_they_hold(trained, tmp_path):
    first, second = tiny_images(20), tiny_images(20, seed=1)
    made = embed(trained, first, out=tmp_path / "a.lance")
    with pytest.raises(TacitError, match="is another sample, by its vector"):
        embed(trained, second, out=made.path, append=True)
    for name, pixels in (("A", first.pixels), ("B", second.pixels)):
        (tmp_path / name).mkdir()
        with tarfile.open(tmp_path / name / "x-000.tar", "w") as file:
            for number, picture in enumerate(pixels):
                Image.fromarray(picture).save(said := io.BytesIO(), "PNG")
                (member := tarfile.TarInfo(f"{number:06d}.png")).size = said.tell()
                said.seek(0)
                file.addfile(member, said)
    shards = embed(trained, str(tmp_path / "A" / "x-{000..000}.tar"), out=tmp_path / "s.lance")
    assert shards.provenance.source == str(tmp_path / "A" / "x-{000..000}.tar")
    with pytest.raises(TacitError, match="is another sample, by its vector; embed it into another table"):
        embed(trained, str(tmp_path / "B" / "x-000.tar"), out=shards.path, append=True)


def test_rows_that_are_added_to_files_need_not_count_as_they_do(trained, cloth, tmp_path):
    made = embed(trained, cloth, out=tmp_path / "a.lance")
    np.save(tmp_path / "more.npy", tiny_images(20).pixels)
    assert len(embed(trained, tmp_path / "more.npy", out=made.path, append=True)) == len(made) + 20


def test_ids_that_repeat_are_refused(trained, cloth, tmp_path):
    samples = trained.open(cloth)
    with pytest.raises(TacitError, match=f"has the id '{samples.ids[0]}' twice"):
        embed(trained, samples.take(np.array([0, 1, 0])), out=tmp_path / "twice.lance")
    assert not [*tmp_path.iterdir()]


def test_many_queries_are_answered_into_a_file(trained, cloth, table, tmp_path):
    import pyarrow.parquet as pq

    assert search_all(table, cloth, out=tmp_path / "hits.parquet", top=3, batch=13) == len(table)
    found = pq.read_table(tmp_path / "hits.parquet").to_pylist()
    assert len(found) == 3 * len(table) and [row["rank"] for row in found[:4]] == [1, 2, 3, 1]
    assert [row["id"] for row in found[::3]] == [row["query"] for row in found[::3]] == table.ids()
    np.save(tmp_path / "queries.npy", table.vectors()[:5])
    condition = f"id != '{table.ids()[0]}'"
    assert search_all(table, tmp_path / "queries.npy", out=tmp_path / "hits.parquet", top=1, where=condition) == 5
    found = pq.read_table(tmp_path / "hits.parquet").to_pylist()
    assert [row["query"] for row in found] == list("01234") and [row["id"] for row in found][1:] == table.ids()[1:5]
    assert found[0]["id"] != table.ids()[0]
    with pytest.raises(TacitError, match=r"does not end in \.parquet"):
        search_all(table, cloth, out=tmp_path / "hits.txt")
    before = (tmp_path / "hits.parquet").read_bytes()
    for array, why in ((np.zeros((2, 3, 4)), "m × d"), (np.zeros((2, 3)), "A query has 3 numbers"), (np.array(["a"]), "m × d")):
        np.save(tmp_path / "queries.npy", array)
        with pytest.raises(TacitError, match=why):
            search_all(table, tmp_path / "queries.npy", out=tmp_path / "hits.parquet")
    (tmp_path / "queries.npy").write_bytes(b"no")
    with pytest.raises(TacitError, match=r"no \.npy file"):
        search_all(table, tmp_path / "queries.npy", out=tmp_path / "hits.parquet")
    assert (tmp_path / "hits.parquet").read_bytes() == before
    pq.write_table(pq.read_table(tmp_path / "hits.parquet").drop_columns(["rank"]), tmp_path / "mine.parquet")
    with pytest.raises(TacitError, match=r"mine.parquet is there and holds no answers"):
        search_all(table, cloth, out=tmp_path / "mine.parquet")
    queries = table.vectors()[np.arange(300) % len(table)].copy()
    queries[299] = np.nan
    np.save(tmp_path / "queries.npy", queries)
    with pytest.raises(TacitError, match="Query number 300 holds NaN"):
        search_all(table, tmp_path / "queries.npy", out=tmp_path / "hits.parquet")


def test_a_large_table_is_searched_by_an_index(cloth, table, monkeypatch):
    from tacit.applying import searching as module

    monkeypatch.setattr(module, "LARGE", 10)
    told = []
    near, truth = search(table, table.ids()[3], told=told.append), search(table, table.ids()[3], exact=True)
    assert "Making an index" in told[0] and "Approximate" in told[1] and len({*near} & {*truth}) >= 7
    told.clear()
    search(table, table.ids()[3], where="label IS NOT NULL", told=told.append)
    assert not told
