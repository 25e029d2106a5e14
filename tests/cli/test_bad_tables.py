"""Bad input where tables are written, searched, clustered, curated and learned from: the list of issue 8 and its neighbours.

Each is one sentence that says what came and what to do, and leaves every file as it was.
"""

import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tacit.applying import searching
from tacit.cli import run
from tacit.embeddings.read import open_table
from tacit.run import Run
from tests.cli.conftest import SMALL, contents, done, one_sentence

READERS = (
    "search photos.lance 000.png",
    "cluster photos.lance --out c.parquet",
    "curate photos.lance --keep 9 --out m.parquet",
    "table photos.lance",
    "table photos.lance --export v.npy",
    "table photos.lance --compact",
)


@pytest.fixture(scope="session")
def others(kept):
    """A run of another encoder, and vectors of another dimension."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(kept)
        done(f"pretrain photos --out other --seed 1 {SMALL}")
        np.save("wide.npy", np.random.default_rng(0).standard_normal((200, 48)).astype(np.float32))
        done("table wide.lance --import wide.npy --encoder theirs")
    return kept


@pytest.fixture
def beside(here, others):
    """The same in the folder that is worked in."""
    for name in ("other", "wide.lance"):
        shutil.copytree(others / name, here / name)
    return here


# ---- a table of another dimension or encoder ----


@pytest.mark.parametrize("how", ["--append", "--renew", "--overwrite", ""])
def test_another_encoder_is_never_mixed_in(beside, refused, how):
    refused(
        f"embed other photos --out photos.lance --device cpu {how}", "photos.lance", "another encoder", "nothing was changed"
    )
    refused(f"embed trained photos --out wide.lance --device cpu {how}", "wide.lance", "another encoder", "another name")


def test_another_dimension(beside, refused):
    np.save("query.npy", np.ones(48, np.float32))
    np.save("queries.npy", np.ones((3, 48), np.float32))
    words = ("48 numbers", "photos.lance have 32", "with the same encoder")
    refused("search photos.lance query.npy", *words)
    refused("search photos.lance queries.npy --out hits.parquet", *words)
    refused("search wide.lance photos/000.png", "theirs", "--run")
    refused("search photos.lance photos/000.png --run other", "made by another encoder", "give --run")


# ---- a corrupted table ----


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def zeros(file):
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize(("where", "spoil"), [("data", cut), ("data", zeros), ("data", Path.unlink), ("_versions", cut)])
def test_a_damaged_table(here, refused, where, spoil):
    for file in Path("photos.lance", where).iterdir():
        spoil(file)
    for line in (*READERS, "embed trained photos --out photos.lance --append --device cpu"):
        refused(line, "photos.lance is no whole table of Tacit's", "embed the data again under another name")
    refused("embed trained photos --out photos.lance --overwrite --device cpu", "no whole table", "move it away")


def test_vectors_that_became_nan(here, refused):
    (file,) = Path("photos.lance/data").iterdir()
    vector = open_table("photos.lance").vectors()[7].tobytes()
    assert file.read_bytes().count(vector) == 1  # they lie there as they are
    file.write_bytes(file.read_bytes().replace(vector, np.full(32, np.nan, np.float32).tobytes()))
    words = ("photos.lance is no whole table", "hold NaN", "embed the data again")
    for line in (*READERS[:3], "search photos.lance 007.png", "table photos.lance --export v.npy"):
        refused(line, *words)


def test_bytes_that_are_none_of_lance(here, capfd):
    (file,) = Path("photos.lance/data").iterdir()
    whole = bytearray(file.read_bytes())
    noise = np.random.default_rng(0)
    for start in range(0, len(whole) - 4096, 997):  # headers of pages, offsets of ids: what is found there is no length
        whole[start : start + 16] = noise.bytes(16)
    file.write_bytes(bytes(whole))
    capfd.readouterr()
    for line in READERS[:4]:
        assert run(line.split()) == 1
        said = capfd.readouterr().err.splitlines()[-1]  # Lance itself may have printed where it was
        assert one_sentence(f"{said}\n") and "photos.lance is no whole table of Tacit's" in said


@pytest.mark.parametrize("what", ["a file", "an empty folder", "a folder of others", "a table of others"])
def test_what_is_no_table(here, refused, what):
    out = Path("else.lance")
    if what == "a file":
        out.write_text("mine")
    elif what == "a table of others":
        import lancedb

        lancedb.connect(here).create_table("else", [{"id": "a", "vector": [1.0, 2.0]}])
    else:
        out.mkdir()
        if what == "a folder of others":
            (out / "mine.txt").write_text("mine")
    for line in (*READERS, "embed trained photos --out photos.lance --append --device cpu"):
        if (what, line.split()[0]) == ("an empty folder", "embed"):
            continue
        refused(line.replace("photos.lance", "else.lance"), "else.lance is", "a table" if what == "a file" else "whole table")
    if what == "an empty folder":
        done("embed trained photos --out else.lance --device cpu")
    else:
        refused("embed trained photos --out else.lance --device cpu --overwrite", "else.lance is there", "move it away")


# ---- queries and conditions ----


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_query_that_is_not_finite(here, refused, value):
    np.save("query.npy", np.full(32, value, np.float32))
    np.save("queries.npy", np.stack([np.ones(32), np.full(32, value)]).astype(np.float32))
    refused("search photos.lance query.npy", "Query number 1 holds NaN or infinite", "embed it anew")
    refused("search photos.lance queries.npy --out hits.parquet", "Query number 2 holds NaN", "embed it anew")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("label = ", ("cannot be understood",)),
        ("label = '3", ("cannot be understood",)),
        ("label = '3'; drop table photos", ("cannot be understood",)),  # what follows is not left out in silence
        ("label = '3' --", ("cannot be understood",)),
        ("1", ("does not return a boolean",)),
        ("lable = '3'", ("No field named lable", "on id, path, label, split")),
        ("id = 3", ("could not convert",)),
    ],
)
def test_a_condition_that_is_none(here, refused, condition, words):
    refused(["search", "photos.lance", "000.png", "--where", condition], "--where", *words, "write a condition as SQL has it")
    np.save("queries.npy", np.ones((2, 32), np.float32))
    many = ["search", "photos.lance", "queries.npy", "--out", "hits.parquet", "--where", condition]
    refused(many, "--where", *words)


def test_more_than_there_is(here, refused, capsys):
    refused("cluster photos.lance --out c.parquet --number 201", "--number 201", "200 rows", "at most")
    refused("table photos.lance --restore 1", "has no version 1", "it has 2")
    refused("search photos.lance 000.png --top -1", "-1 hits", "1 or more")
    done("search photos.lance 000.png --top 1000")
    assert len(capsys.readouterr().out.splitlines()) == 199 + 1  # all but itself, and where the sheet is
    done("curate photos.lance --keep 1000 --out m.parquet")
    assert "1,000 were to be kept and 200 are left" in capsys.readouterr().out


# ---- an index half built ----


def halve(here):
    cut(here / ".photos.ivf")


def garble(here):
    file = here / ".photos.ivf"
    file.write_bytes(np.random.default_rng(0).bytes(file.stat().st_size))


def forget(here):
    (here / ".photos.ivf.json").write_text("{")


@pytest.mark.parametrize(("spoil", "why"), [(halve, "broken off"), (garble, "broken off"), (forget, "none yet")])
def test_an_index_half_built_is_built_again(here, capsys, monkeypatch, spoil, why):
    monkeypatch.setattr(searching, "LARGE", 100)
    done("search photos.lance 000.png --top 3")
    first = capsys.readouterr()
    spoil(here)
    done("search photos.lance 000.png --top 3")
    again = capsys.readouterr()
    assert again.out == first.out and why in again.err and "Approximate: the index finds" in again.err
    done("search photos.lance 000.png --top 3")
    assert "Making an index" not in capsys.readouterr().err


# ---- a full disk ----


@pytest.fixture
def full():
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


FILLING = (
    "embed trained photos --out new.lance --device cpu",
    "embed trained photos --out half.lance --append --device cpu",
    "embed trained photos --out half.lance --renew --device cpu",
    "cluster photos.lance --out c.parquet",
    "curate photos.lance --keep 9 --out m.parquet",
    "search photos.lance photos --out hits.parquet --run trained",
    "search photos.lance 000.png --sheet s.png",
    "table photos.lance --export v.npy",
    "table photos.lance --export v.parquet",
    "table photos.lance --export v.faiss",
    "table new.lance --import big.npy --encoder theirs",
)


@pytest.fixture(scope="session")
def half(kept):
    """A table of the first hundred."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(kept)
        Path("first").mkdir()
        for file in sorted(Path("photos").iterdir())[:100]:
            shutil.copy(file, "first")
        done("embed trained first --out half.lance --device cpu")
    return kept / "half.lance"


def test_a_full_disk_leaves_everything_as_it_was(here, half, full, capsys):
    shutil.copytree(half, "half.lance")
    np.save("big.npy", np.ones((5000, 32), np.float32))
    before = contents(here)
    capsys.readouterr()
    for line in FILLING:
        full(100)
        status = run(line.split())
        full(-1)
        err = capsys.readouterr().err
        assert status == 1 and one_sentence(err.splitlines()[-1] + "\n") and "File too large" in err, (line, err)
        assert "could not be written" in err or "give a path" in err, (line, err)
        assert contents(here) == before, line
    done("embed trained photos --out half.lance --append --device cpu")
    assert open_table("half.lance").ids() == open_table("photos.lance").ids()


# ---- manifests ----


def test_a_manifest_that_names_missing_files(here, refused):
    done("embed trained photos --out photos.lance --overwrite --device cpu")  # the copied one names what it was made of
    done("curate photos.lance --keep 100 --out m.parquet")
    kept = [row["id"] for row in pq.read_table("m.parquet").to_pylist() if row["kept"]]
    for name in kept[:10]:
        Path("photos", name).unlink()
    words = ("10", kept[0], "No such file", "1%")
    refused(f"pretrain m.parquet --out r {SMALL}", "10 of 100 samples of m.parquet", *words)
    refused("embed trained m.parquet --out new.lance --device cpu", "m.parquet", *words)
    shutil.rmtree("photos")
    refused(f"pretrain m.parquet --out r {SMALL}", "None of the 100 images", "check the files")


def test_a_manifest_that_was_cut_and_one_that_is_there(here, refused):
    done("curate photos.lance --keep 100 --out m.parquet")
    refused("curate photos.lance --keep 9 --out m.parquet", "m.parquet is there already", "overwrite")
    refused("cluster photos.lance --out m.parquet", "m.parquet is there and holds no clusters", "another name")
    cut(Path("m.parquet"))
    refused(f"pretrain m.parquet --out r {SMALL}", "m.parquet is no readable Parquet file", "write it again")


# ---- two writers, and one that was killed ----


def test_two_writers_at_once(here, refused):
    code = (
        "import sys\nfrom tacit.embeddings.write import sole_writer\n"
        "with sole_writer('photos.lance'):\n    print('in', flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "in\n"
        for how in ("--append", "--renew", "--overwrite"):
            line = f"embed trained photos --out photos.lance --device cpu {how}"
            refused(line, "photos.lance is being written by another process", "wait for it")
        refused("table photos.lance --compact", "is being written by another process", "wait for it")
        refused("table photos.lance --restore 2", "is being written by another process")
        done("search photos.lance 000.png --sheet s.png")  # readers are not kept out
        other.kill()
    done("embed trained photos --out photos.lance --append --device cpu")  # and a kill sets it free


@pytest.mark.parametrize("how", ["--append", "--renew"])
def test_adding_that_was_killed_is_gone_on_with(here, half, monkeypatch, capsys, how):
    shutil.copytree(half, "half.lance")
    represent, calls = Run.represent, []

    def killed(self, content, index, *rest):
        calls.append(len(index))
        if len(calls) == (5 if how == "--append" else 4):  # of another source some rows are compared first
            raise KeyboardInterrupt
        return represent(self, content, index, *rest)

    line = f"embed trained photos --out half.lance --batch 20 --device cpu {how}".split()
    with monkeypatch.context() as patch:
        patch.setattr(Run, "represent", killed)
        assert run(line) == 130
    there = open_table("half.lance")
    assert len(there) == len({*there.ids()}) == (140 if how == "--append" else 100)  # what is renewed comes in large blocks
    done(" ".join(line))
    grown, whole = open_table("half.lance"), open_table("photos.lance")
    assert sorted(grown.ids()) == sorted(whole.ids())
    np.testing.assert_allclose(grown.vectors(whole.ids()), whole.vectors(), atol=1e-5)


# ---- labels ----


def test_labels(here, refused, capsys):
    def told(rows, *words):
        Path("labels.csv").write_text("id,label\n" + "".join(f"{id},{label}\n" for id, label in rows))
        refused("fit trained labels.csv --out head --device cpu", *words)

    known = [(f"{number:03d}.png", number % 2) for number in range(40)]
    told([*known[:4], ("zzz.png", 1), ("yy.png", 0)], "2 of 6 labels", "'zzz.png', 'yy.png'", "the nearest", "--data")
    told([(id, "a") for id, _ in known], "one label only, 'a'", "two classes or more")
    told([("000.png", "a")], "one label only, 'a'")
    told([("000.png", "a"), ("001.png", "b")], "a single sample of each", "two labels or more of a class")
    told([*known, ("000.png", 1)], "gives '000.png' two labels", "one to each")
    Path("labels.csv").write_text("id,label\n" + "".join(f"{id},{label}\n" for id, label in [*known, known[0], ("zzz.png", 1)]))
    done("fit trained labels.csv --out head --head prototypes --device cpu")
    said = capsys.readouterr().out
    assert "1 labels came twice" in said and "1 of 41 labels are of no sample ('zzz.png')" in said
    Path("labels.csv").write_bytes(b"\xff\xfe\x00\x01")
    refused("fit trained labels.csv --out other --device cpu", "no list in UTF-8", "save it again")
    refused("fit trained photos --out other --device cpu", "no list of labels photos", "give a .csv")
    Path("empty").mkdir()
    for line in (
        "embed trained empty --out e.lance",
        "predict head empty --out p.csv",
        "search photos.lance empty --out h.parquet",
    ):
        refused(line, "empty is empty", "check the path")
