import numpy as np
import pytest

from tacit.cli import run
from tacit.embeddings.read import open_table
from tacit.embeddings.upkeep import compacted, restored, versions
from tacit.embeddings.write import add, write
from tacit.errors import TacitError

from .conftest import rows


@pytest.fixture
def grown(tmp_path, made, vectors):
    write(tmp_path / "photos.lance", rows(vectors[:500]), made, total=500)
    return add(tmp_path / "photos.lance", [*rows(vectors, 100)][5:], renew=False)


def test_versions_are_listed_and_gone_back_to(grown, vectors):
    before, now = versions(grown)
    assert (before.rows, now.rows) == (500, 1000) and now.number == grown.version
    back = restored(grown, before.number)
    assert np.array_equal(back.vectors(), vectors[:500]) and [entry.rows for entry in versions(back)] == [500, 1000, 500]
    assert np.array_equal(restored(back, now.number).vectors(), vectors)  # nothing was lost
    with pytest.raises(TacitError, match="no version 77"):
        restored(grown, 77)


def test_compacting_forgets_and_keeps_the_rows(grown, vectors, tmp_path):
    renewed = [some._replace(vectors=-some.vectors) for some in rows(vectors[:10])]
    table = compacted(add(grown.path, renewed, renew=True))
    assert len(versions(table)) == 1 and len(table) == 1000 == versions(table)[0].rows
    assert np.array_equal(table.vectors(["some/3.png", "some/700.png"]), [-vectors[3], vectors[700]])
    assert len([*(tmp_path / "photos.lance" / "data").iterdir()]) == 1


def test_the_command(grown, tmp_path, capsys, vectors):
    path, file = str(grown.path), tmp_path / "v.npy"
    assert run(["table", path]) == 0
    said = capsys.readouterr().out
    assert "1000 image vectors of 16 numbers" in said and "Version" in said and "id, vector, path" in said
    assert run(["table", path, "--export", str(file)]) == 0 and np.array_equal(np.load(file), vectors)
    assert run(["table", str(tmp_path / "new.lance"), "--import", str(file), "--encoder", "clip"]) == 0
    assert open_table(tmp_path / "new.lance").ids() == grown.ids()
    assert run(["table", path, "--restore", str(versions(grown)[0].number)]) == 0 and len(open_table(path)) == 500
    assert run(["table", path, "--compact"]) == 0 and len(versions(open_table(path))) == 1
    for wrong, why in (
        (["--compact", "--restore", "2"], "one was expected"),
        (["--import", str(file)], "needs --encoder"),
        (["--encoder", "clip"], "leave it out"),
    ):
        capsys.readouterr()
        assert run(["table", path, *wrong]) == 1 and why in capsys.readouterr().err


def test_what_never_was_whole_is_no_version(tmp_path, made, vectors):
    def broken():
        yield next(rows(vectors, 30))
        raise KeyboardInterrupt

    before = write(tmp_path / "photos.lance", rows(vectors[:50]), made, total=50)
    with pytest.raises(KeyboardInterrupt):
        write(before.path, broken(), made, total=1000, overwrite=True)
    now = add(before.path, [*rows(vectors[:60], 10)][5:], renew=False)
    assert [entry.rows for entry in versions(now)] == [50, 50, 60]
    half = next(e["version"] for e in now.lance.list_versions() if e["metadata"]["total_rows"] == "30")
    with pytest.raises(TacitError, match=f"no version {half}"):
        restored(now, half)
    with pytest.raises(TacitError, match=f"no version {half}"):
        open_table(now.path, half)
    assert [entry.rows for entry in versions(compacted(now))] == [60]
