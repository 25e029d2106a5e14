"""What the tests of bad input share: a small run and its table, and a check that a line is refused and nothing changed."""

import shutil

import pytest

from tacit.cli import run
from tacit.data import generated

TRAINING = "--epochs 1 --batch 16 --device cpu --precision fp32 --quiet"
SMALL = f"--encoder small_resnet --width 8 {TRAINING}"


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """200 images, a run trained on them and a table of their vectors; tests work on copies."""
    place = tmp_path_factory.mktemp("kept")
    generated.write(generated.tiny_images(200), place / "cloth")
    for number, file in enumerate(sorted((place / "cloth").rglob("*.png"))):
        (place / "photos").mkdir(exist_ok=True)
        shutil.copy(file, place / "photos" / f"{number:03d}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        done(f"pretrain photos --out trained {SMALL}")
        done("embed trained photos --out photos.lance --device cpu")
    return place


@pytest.fixture
def here(kept, tmp_path, monkeypatch):
    """An empty folder to work in, with copies of what was made."""
    for name in ("photos", "trained", "photos.lance"):
        shutil.copytree(kept / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(here, capsys):
    """Runs a line that must be refused in one sentence with all of `words`, and must leave every file as it was."""

    def check(line, *words, status=1):
        capsys.readouterr()
        before = contents(here)
        assert run(line.split() if isinstance(line, str) else line) == status, capsys.readouterr()
        out = capsys.readouterr()
        assert out.out == ""
        assert one_sentence(out.err) and all(word in out.err for word in words), out.err
        assert contents(here) == before
        return out.err

    return check


def done(line):
    assert run(line.split()) == 0


def contents(folder):
    """Every file and folder below one, with what it holds."""
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def one_sentence(err):
    said = err.removeprefix("tacit: ").removesuffix("\n")
    assert err.startswith("tacit: ") and "Traceback" not in err and "fault in Tacit" not in err, err
    return "\n" not in said and said[-1] in ".?" and ". " not in said
