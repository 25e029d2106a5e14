"""Point clouds through every command: a folder of files, a run, its report, its table, a search by a file."""

import json

import pytest
from PIL import Image

import tacit
from tacit.data.clouds.shapes import shapes, write
from tacit.judging.telling import _looks
from tests.sheets import sheet_has_columns

SMALL = {"points": 48, "epochs": 1, "batch": 16, "width": 16, "depth": [16]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("clouds") / "shapes"
    write(shapes(80), place)
    return place


@pytest.fixture(scope="module")
def run(folder):
    return tacit.pretrain(str(folder), "simclr", out=folder.parent / "run", quiet=True, warmup=0, **SMALL)


def test_a_run_on_clouds_is_judged_and_told(run, folder):
    found = tacit.evaluate(run, str(folder))
    assert found.number("raw input", "knn") is not None and found.number("this encoder", "knn") is not None
    page = (run.path / "report.html").read_text()
    assert page.count("data:image/png") > 20  # neighbours and examples have pictures
    config = json.loads(json.dumps(run.config.facts))
    assert config["kind"] == "cloud" and config["shape"] == [48, 3]


def test_embedding_and_searching_by_a_file(run, folder, tmp_path):
    table = tacit.embed(run, str(folder), out=tmp_path / "shapes.lance")
    file = sorted(folder.glob("test/*/*.ply"))[0]
    hits = tacit.search(table, str(file), top=3, sheet=tmp_path / "found.png")
    assert hits[0].id == file.relative_to(folder).as_posix() and hits[0].score == pytest.approx(1, abs=1e-3)
    assert hits[0].thumbnail.startswith(b"\x89PNG") and Image.open(tmp_path / "found.png").width > 100


@pytest.mark.parametrize(("method", "columns"), [("simclr", 3), ("dino", 11), ("point_mae", 2)])
def test_a_sheet_of_views(folder, tmp_path, method, columns):
    sheet_has_columns(folder, method, columns, tmp_path / "sheet.png")


def test_samples_have_pictures():
    looks = _looks(shapes(5), [3, 1])
    assert set(looks) == {1, 3} and all(picture.startswith(b"\x89PNG") for picture, _ in looks.values())


def test_mistakes_are_one_sentence(folder):
    with pytest.raises(tacit.TacitError, match="--size 32 is a side of images"):
        tacit.pretrain(str(folder), "simclr", size=32)
    with pytest.raises(tacit.TacitError, match="MAE wants Masked views, cloud data offers"):
        tacit.preview(str(folder), "mae")
    with pytest.raises(tacit.TacitError, match="holds clouds and was to be opened as image"):
        tacit.open(str(sorted(folder.glob("test/*/*.ply"))[0]), kind="image")
