"""Videos through every command: a folder of files, a run, its report, its table, a search by a file."""

import json

import pytest
import torch
from PIL import Image

import tacit
from tacit.data.video.generated import moving_letters
from tacit.judging.telling import _looks
from tests.data.video.encoding import encode, moving
from tests.sheets import sheet_has_columns

SMALL = {"frames": 4, "epochs": 1, "batch": 8, "width": 8, "depth": [1, 1], "side": 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("videos") / "moving"
    for i in range(32):
        split, suffix = ("train", "test")[i // 2 % 2], (".mp4", ".avi", ".webm")[i % 3]
        encode(place / split / ("even", "odd")[i % 2] / f"{i:02d}{suffix}", moving(i, n=24))
    return place


@pytest.fixture(scope="module")
def run(folder):
    return tacit.pretrain(str(folder), "simclr", out=folder.parent / "run", quiet=True, warmup=0, **SMALL)


def test_a_run_on_videos_is_judged_and_told(run, folder):
    found = tacit.evaluate(run, str(folder))
    assert found.number("raw input", "knn") is not None and found.number("this encoder", "knn") is not None
    page = (run.path / "report.html").read_text()
    assert page.count("data:image/png") > 20  # neighbours and examples have pictures
    config = json.loads(json.dumps(run.config.facts))
    assert config["kind"] == "video" and config["shape"] == [3, 4, 16, 16]


def test_embedding_and_searching_by_a_file(run, folder, tmp_path):
    table = tacit.embed(run, str(folder), out=tmp_path / "moving.lance")
    file = sorted(folder.glob("test/*/*"))[0]
    hits = tacit.search(table, str(file), top=3, sheet=tmp_path / "found.png")
    assert hits[0].id == file.relative_to(folder).as_posix() and hits[0].score == pytest.approx(1, abs=1e-3)
    assert hits[0].thumbnail.startswith(b"\x89PNG") and Image.open(tmp_path / "found.png").width > 100


@pytest.mark.parametrize("method", ["dcl", "byol", "simsiam", "barlow_twins", "vicreg", "moco_v2", "npid", "swav", "dino"])
def test_generic_methods_train_on_videos(method, tmp_path):
    heads = {"barlow_twins": {"dim": 16}, "vicreg": {"dim": 16}, "moco_v2": {"queue": 32}, "swav": {"prototypes": 8}}
    options = {**SMALL, "small_crops": 2, "local_size": 8} if method in ("swav", "dino") else SMALL
    letters = moving_letters(40)
    run = tacit.pretrain(letters, method, out=tmp_path, quiet=True, warmup=0, **options, **heads.get(method, {}))
    assert run.embed(letters).isfinite().all()


def test_a_run_of_other_frames_goes_through(folder, tmp_path):
    """The encoder without time, and the weights of a run the same twice, whatever is decoded when."""
    runs = [
        tacit.pretrain(str(folder), "simclr", out=tmp_path / str(i), quiet=True, warmup=0, encoder="frame_resnet", **SMALL)
        for i in range(2)
    ]
    first, again = (run.encoder.state_dict() for run in runs)
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(("method", "columns"), [("simclr", 3), ("dino", 11)])
def test_a_sheet_of_views(folder, tmp_path, method, columns):
    sheet_has_columns(folder, method, columns, tmp_path / "sheet.png")


def test_samples_have_pictures():
    looks = _looks(moving_letters(5), [3, 1])
    assert set(looks) == {1, 3} and all(picture.startswith(b"\x89PNG") for picture, _ in looks.values())


def test_mistakes_are_one_sentence(folder):
    with pytest.raises(tacit.TacitError, match="--size 32 is a side of images"):
        tacit.pretrain(str(folder), "simclr", size=32)
    with pytest.raises(tacit.TacitError, match="MAE wants Masked views, video data offers"):
        tacit.preview(str(folder), "mae")
    with pytest.raises(tacit.TacitError, match="holds videos and was to be opened as cloud"):
        tacit.open(str(sorted(folder.glob("test/*/*"))[0]), kind="cloud")
