import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections import namedtuple
from dataclasses import replace

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from tacit.embeddings import write as module
from tacit.embeddings.read import Unfinished, open_table
from tacit.embeddings.rows import Rows, schema, to_batch
from tacit.embeddings.write import add, begun, changing, sole_writer, write
from tacit.errors import TacitError

from .conftest import DIM, rows


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_round_trip(tmp_path, made, vectors):
    written = write(tmp_path / "new" / "photos.lance", rows(vectors), made, total=1000)
    assert names(tmp_path / "new") == ["photos.lance"]
    for table in (written, open_table(str(tmp_path / "new" / "photos.lance"))):
        assert table.provenance == made
        assert len(table) == 1000
        assert np.array_equal(table.vectors(), vectors)
        assert table.ids() == [f"some/{i}.png" for i in range(1000)]
        assert table.row("some/7.png")[:3] == ("some/7.png", "/photos/some/7.png", "class 1")
        assert table.row("some/7.png").thumbnail == b"picture 7"
        assert table.row("some/8.png")[1:3] == (None, None)
        assert table.row("some/8.png").thumbnail is None


def test_it_is_a_table_for_lancedb(tmp_path, made, vectors):
    import lancedb

    write(tmp_path / "photos.lance", rows(vectors), made, total=1000)
    table = lancedb.connect(tmp_path).open_table("photos")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), DIM)
    nearest = table.search(vectors[3]).distance_type("cosine").limit(1).to_list()
    assert nearest[0]["id"] == "some/3.png"


@pytest.mark.parametrize("name", ["photos", "photos.parquet", ".lance", ".hidden.lance", "my photos.lance", "фото.lance"])
def test_names_that_cannot_be_are_refused(tmp_path, made, vectors, name):
    with pytest.raises(TacitError, match=r"cannot name a table.*photos\.lance"):
        write(tmp_path / name, rows(vectors), made, total=1000)
    assert names(tmp_path) == []


def test_odd_folders_are_no_trouble(tmp_path, made, vectors):
    folder = tmp_path / "50% of #1?" / "ü a%20b"
    assert len(write(folder / "p.1-x_y.lance", rows(vectors), made, total=1000)) == 1000
    assert names(folder) == ["p.1-x_y.lance"]


def test_a_table_of_the_same_encoder_is_replaced_when_asked(tmp_path, made, vectors):
    out = tmp_path / "photos.lance"
    write(out, rows(vectors), made, total=1000)
    with pytest.raises(TacitError, match=r"is there already: 1000 vectors.*overwrite"):
        write(out, rows(vectors[:10]), made, total=10)
    assert len(open_table(out)) == 1000
    later = replace(made, run="runs/two")
    table = write(out, rows(vectors[:10]), later, total=10, overwrite=True)
    assert len(table) == 10
    assert table.provenance.run == "runs/two"
    assert names(tmp_path) == ["photos.lance"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_table_of_another_encoder_is_never_touched(tmp_path, made, vectors, overwrite):
    out = tmp_path / "photos.lance"
    write(out, rows(vectors), made, total=1000)
    with pytest.raises(TacitError, match="a table made by another encoder"):
        write(out, rows(vectors), replace(made, encoder="cd" * 32), total=1000, overwrite=overwrite)
    assert open_table(out).provenance == made


def test_what_is_no_table_is_never_touched(tmp_path, made, vectors):
    out = tmp_path / "photos.lance"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(TacitError, match="no whole table"):
        write(out, rows(vectors), made, total=1000, overwrite=True)
    assert (out / "mine.txt").read_text() == "precious"


def test_a_link_stays_a_link(tmp_path, made, vectors):
    (tmp_path / "disk").mkdir()
    (tmp_path / "photos.lance").symlink_to(tmp_path / "disk" / "real.lance")
    for _ in range(2):
        write(tmp_path / "photos.lance", rows(vectors), made, total=1000, overwrite=True)
    assert (tmp_path / "photos.lance").is_symlink()
    assert names(tmp_path / "disk") == ["real.lance"]
    assert len(open_table(tmp_path / "photos.lance")) == 1000


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused_by_id(tmp_path, made, vectors, bad):
    vectors[[70, 700], 3] = bad
    with pytest.raises(TacitError, match=r"some/70\.png"):
        write(tmp_path / "photos.lance", rows(vectors), made, total=1000)
    assert names(tmp_path) == []


def test_nothing_to_write(tmp_path, made, vectors):
    with pytest.raises(TacitError, match="no samples"):
        write(tmp_path / "photos.lance", rows(vectors), made, total=0)
    empty = Rows([], [], [], np.empty((0, DIM), np.float32), [])
    with pytest.raises(TacitError, match="None of the 7 samples"):
        write(tmp_path / "photos.lance", [empty], made, total=7)
    assert names(tmp_path) == []


def test_columns_of_unequal_length_are_a_mistake_of_the_caller(tmp_path, made, vectors):
    (whole,) = rows(vectors[:10], batch=10)
    for wrong in (whole._replace(labels=[]), whole._replace(vectors=vectors[:10, :-1])):
        with pytest.raises(ValueError, match="n × 16"):
            write(tmp_path / "photos.lance", [wrong], made, total=10)


def test_names_that_are_not_utf8_are_named(tmp_path, made, vectors):
    (whole,) = rows(vectors[:1], batch=1)
    with pytest.raises(TacitError, match="not UTF-8"):
        write(tmp_path / "photos.lance", [whole._replace(ids=[os.fsdecode(b"caf\xe9.png")])], made, total=1)


class Broken(OSError):
    pass


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
def test_an_error_in_the_rows_comes_out_as_it_is(tmp_path, made, vectors, error):
    out = tmp_path / "photos.lance"
    write(out, rows(vectors), made, total=1000)

    def breaking():
        yield from rows(vectors[:500])
        raise error("stop")

    with pytest.raises(error, match="stop"):
        write(out, breaking(), made, total=1000, overwrite=True)
    assert len(open_table(out)) == 1000
    done = begun(out, made)
    assert done == [f"some/{i}.png" for i in range(500)]
    assert begun(out, replace(made, encoder="cd" * 32)) == begun(out, replace(made, source="other")) == []
    rest = ([*rows(vectors, 500)])[1:]
    table = write(out, rest, made, total=1000, overwrite=True, go_on=True)
    assert table.ids() == [f"some/{i}.png" for i in range(1000)] and np.array_equal(table.vectors(), vectors)
    assert names(tmp_path) == ["photos.lance"]


def test_rows_are_made_in_the_callers_thread(tmp_path, made, vectors):
    threads = set()

    def watched():
        for some in rows(vectors):
            threads.add(threading.current_thread())
            yield some

    write(tmp_path / "photos.lance", watched(), made, total=1000)
    assert threads == {threading.current_thread()}


def test_the_callers_memory_may_be_used_again(tmp_path, made, vectors):
    def reusing():
        buffer = np.empty((64, DIM), np.float32)
        for some in rows(vectors):
            view = buffer[: len(some.ids)]
            view[:] = some.vectors
            yield some._replace(vectors=view)
            buffer[:] = -1

    assert np.array_equal(write(tmp_path / "photos.lance", reusing(), made, total=1000).vectors(), vectors)


def test_few_batches_are_alive_at_a_time(tmp_path, made):
    """Of 200 batches of 1 MB neither numpy's memory nor Arrow's ever holds more than 25, what Lance holds included."""
    wide = replace(made, dim=256)
    arrow = [pa.total_allocated_bytes()]
    random = np.random.default_rng(0)

    def streaming():
        for start in range(0, 200_000, 1000):
            arrow.append(pa.total_allocated_bytes())
            ids = [str(i) for i in range(start, start + 1000)]
            yield Rows(ids, [None] * 1000, [None] * 1000, random.random((1000, 256), np.float32), [b"x" * 100] * 1000)

    tracemalloc.start()
    try:
        assert len(write(tmp_path / "photos.lance", streaming(), wide, total=200_000)) == 200_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 25e6
    assert max(arrow) - arrow[0] < 25e6


def test_a_full_disk_leaves_the_old_table(tmp_path, made):
    vectors = np.random.default_rng(0).standard_normal((30_000, DIM)).astype(np.float32)
    out = tmp_path / "photos.lance"
    write(out, rows(vectors[:100]), made, total=100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))  # no file may grow beyond 1 MB
    try:
        with pytest.raises(TacitError, match=r"could not be written \(File too large.*untouched") as caught:
            write(out, rows(vectors), made, total=len(vectors), overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert len(open_table(out)) == 100
    assert names(tmp_path) == ["photos.lance"]
    assert len(write(out, rows(vectors), made, total=len(vectors), overwrite=True)) == 30_000


def test_a_disk_that_cannot_hold_the_vectors_is_named_before_the_work(tmp_path, made, vectors, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 0, 1000 * DIM * 4 - 1))
    with pytest.raises(TacitError, match="free some space"):
        write(tmp_path / "photos.lance", iter([]), made, total=1000)
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_written_to(tmp_path, made, vectors):
    (tmp_path / "file").write_text("")
    with pytest.raises(TacitError, match="could not be written"):
        write(tmp_path / "file" / "photos.lance", rows(vectors), made, total=1000)


@pytest.mark.parametrize("old", [False, True])
def test_a_kill_midway_leaves_the_old_table_or_none(tmp_path, made, vectors, old):
    out = tmp_path / "photos.lance"
    if old:
        write(out, rows(vectors), made, total=1000)
    code = """if True:
        import sys, time
        import numpy as np
        from tacit.embeddings.provenance import Provenance
        from tacit.embeddings.rows import Rows
        from tacit.embeddings.write import add, begun, changing, sole_writer, write

        def rows():
            for start in range(100):
                ids = [f"{start}.{i}" for i in range(2000)]
                yield Rows(ids, [None] * 2000, [None] * 2000, np.ones((2000, 16), np.float32), [bytes(3000)] * 2000)
                if start == 30:
                    print("midway", flush=True)
                    time.sleep(60)

        made = Provenance("runs/one", "ab" * 32, "dense", "cosine", 16, "image", "0.1.0")
        write(sys.argv[1], rows(), made, total=200000, overwrite=True)
    """
    process = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "midway\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    if old:
        assert np.array_equal(open_table(out).vectors(), vectors)
    else:
        with pytest.raises(Unfinished, match=r"is not whole yet.*start the same command again"):
            open_table(out)
    with pytest.raises(TacitError, match="another encoder"):
        write(out, rows(vectors[:10]), replace(made, encoder="cd" * 32), total=10, overwrite=True)
    assert len(write(out, rows(vectors[:10]), made, total=10, overwrite=True)) == 10
    assert names(tmp_path) == ["photos.lance"]


@pytest.mark.parametrize("moment", range(4))
def test_a_kill_while_replacing_loses_nothing(tmp_path, made, vectors, monkeypatch, moment):
    """What a kill leaves on the disk before and after each tagging opens as the old table or as the new."""
    out, kept, moments = tmp_path / "live" / "photos.lance", tmp_path / "killed", []
    write(out, rows(vectors), made, total=1000)

    def snapshot():
        if len(moments) == moment:
            shutil.copytree(out.parent, kept)
        moments.append(moment)

    def watched(lance):
        snapshot()
        tag(lance)
        snapshot()

    tag = module.tag
    monkeypatch.setattr(module, "tag", watched)
    write(out, rows(vectors[:10]), made, total=10, overwrite=True)
    monkeypatch.undo()
    assert len(moments) == 4  # when it is whole, and when its pieces are put together
    assert len(open_table(kept / "photos.lance")) == (10 if moment else 1000)
    assert len(write(kept / "photos.lance", rows(vectors[:20]), made, total=20, overwrite=True)) == 20
    assert len(open_table(out).lance.list_versions()) == 1  # of what was replaced nothing is left


def test_a_tag_that_cannot_be_written_leaves_the_old_table(tmp_path, made, vectors, monkeypatch):
    out = tmp_path / "photos.lance"
    write(out, rows(vectors), made, total=1000)

    def failing(lance):
        raise OSError("no")

    monkeypatch.setattr(module, "tag", failing)
    with pytest.raises(TacitError, match="could not be written"):
        write(out, rows(vectors[:10]), made, total=10, overwrite=True)
    assert len(open_table(out)) == 1000
    monkeypatch.undo()
    assert len(write(out, [], made, total=10, overwrite=True, go_on=True)) == 10  # it was whole, but for its tag


def test_what_was_broken_off_is_undone_before_a_change(tmp_path, made, vectors):
    out = tmp_path / "photos.lance"
    write(out, rows(vectors[:900]), made, total=900)

    def breaking():
        yield from rows(vectors[:100])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(out, breaking(), made, total=1000, overwrite=True)
    table = add(out, [*rows(vectors, 100)][9:], renew=False)
    assert np.array_equal(table.vectors(), vectors) and begun(out, made) == []


def test_two_machines_at_once_stop_and_what_was_whole_stays(tmp_path, made, vectors):
    """Another machine has no part in the lock of this one: it is played by LanceDB itself."""
    out = tmp_path / "photos.lance"
    write(out, rows(vectors[:500]), made, total=500)
    (theirs,) = (to_batch(some, schema(made)) for some in rows(vectors[:100], 100))

    def meanwhile():
        yield from [*rows(vectors, 100)][5:]
        lancedb.connect(tmp_path).open_table("photos").add(theirs)

    for change in (
        lambda: add(out, meanwhile(), renew=False),
        lambda: add(out, meanwhile(), renew=True),
        lambda: write(out, meanwhile(), made, total=1000, overwrite=True),
    ):
        with pytest.raises(TacitError, match="from another machine at once; what was whole before is untouched"):
            change()
        assert np.array_equal(open_table(out).vectors(), vectors[:500])
    assert len(add(out, [*rows(vectors, 100)][5:], renew=False)) == 1000


def test_a_kill_costs_what_came_since_the_last_commit(tmp_path, made):
    code = """if True:
        import sys, time
        import numpy as np
        from tacit.embeddings import write as module
        from tacit.embeddings.provenance import Provenance
        from tacit.embeddings.rows import Rows

        def rows():
            for start in range(100):
                ids = [f"{start}.{i}" for i in range(20)]
                yield Rows(ids, [None] * 20, [None] * 20, np.full((20, 16), start, np.float32), [None] * 20)
                if start == 30:
                    print("midway", flush=True)
                    time.sleep(60)

        module.SECONDS = 0.0  # each batch a commit of its own
        made = Provenance("runs/one", "ab" * 32, "dense", "cosine", 16, "image", "0.1.0")
        with module.sole_writer(sys.argv[1]) as out:
            module.write(out, rows(), made, total=2000)
    """
    out = tmp_path / "photos.lance"
    process = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "midway\n"
    with pytest.raises(TacitError, match="being written by another process"), sole_writer(out):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with sole_writer(out) as place:
        done = begun(place, made)
        assert done == [f"{start}.{i}" for start in range(31) for i in range(20)]
        ids = [f"31.{i}" for i in range(20)]
        last = Rows(ids, [None] * 20, [None] * 20, np.full((20, DIM), 31, np.float32), [None] * 20)
        table = write(place, [last], made, total=2000, go_on=True)
    assert table.ids() == [*done, *ids] and np.array_equal(table.vectors()[:, 3], np.repeat(np.arange(32), 20))
    assert names(tmp_path) == ["photos.lance"]


def test_many_commits_are_put_together(tmp_path, made, vectors, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.0)
    table = write(tmp_path / "photos.lance", rows(vectors, 10), made, total=1000)
    assert np.array_equal(table.vectors(), vectors) and table.ids() == [f"some/{i}.png" for i in range(1000)]
    assert len([*(tmp_path / "photos.lance" / "data").iterdir()]) == 1


def test_rows_are_added_and_renewed(tmp_path, made, vectors):
    out = tmp_path / "photos.lance"
    write(out, rows(vectors[:500]), made, total=500)
    table = add(out, [*rows(vectors, 100)][5:], renew=False)
    assert np.array_equal(table.vectors(), vectors) and table.ids() == [f"some/{i}.png" for i in range(1000)]
    before = table.version
    renewed = [some._replace(vectors=-some.vectors) for some in rows(vectors[:300], 100)]
    new = Rows(["new"], [None], [None], vectors[:1], [None], splits=["test"])
    table = add(out, [*renewed, new], renew=True)
    assert len(table) == 1001 and table.version > before
    assert np.array_equal(table.vectors([f"some/{i}.png" for i in (0, 299, 300)]), [-vectors[0], -vectors[299], vectors[300]])
    assert table.rows(["new"]).splits == ["test"]
    assert np.array_equal(open_table(out, before).vectors(), vectors)  # as it was
    with pytest.raises(TacitError, match=r"no version 99"):
        open_table(out, 99)
    with pytest.raises(TacitError, match="no table"):
        add(tmp_path / "other.lance", [new], renew=False)


def test_cells_of_rows_are_kept_and_a_table_that_keeps_none_is_added_to(tmp_path, made, vectors):
    """A table of rows that was written before there were cells is read, and stays one without."""
    made, out = replace(made, kind="table"), tmp_path / "people.lance"
    some = Rows(["a", "b"], [None] * 2, [None] * 2, vectors[:2], [None] * 2, cells=['{"age": 1}', None])
    table = write(out, [some], made, total=2)
    assert table.at(np.array([1, 0]), ("cells",)).column("cells").to_pylist() == [None, '{"age": 1}']
    first = table.mark
    with changing(out) as lance:
        lance.drop_columns(["cells"])
    assert "cells" not in open_table(out).lance.schema.names and open_table(out).mark != first
    with sole_writer(out) as place:
        later = add(place, [some._replace(ids=["c", "d"])], renew=False)
    assert later.ids() == ["a", "b", "c", "d"] and "cells" not in later.lance.schema.names
