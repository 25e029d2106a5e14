"""Time series through every command: an archive, a run, its report, its table, a search by a file."""

import json

import numpy as np
import pytest
from PIL import Image

import tacit
from tacit.check import SERIES, Case, Toy, neighbours, untrained
from tacit.data.inspecting import inspect
from tacit.data.series.generated import rhythms
from tacit.judging.telling import _looks
from tacit.methods import find

SMALL = {"epochs": 1, "batch": 16, "width": 8, "depth": 2}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    samples = rhythms(120, gaps=0.05)
    content, _ = samples.read(np.arange(120))
    values, lengths, test = content.values.numpy(), content.lengths.numpy(), np.arange(120) % 5 == 4
    path = tmp_path_factory.mktemp("series") / "rhythms.npz"
    parts = {"train": ~test, "test": test}
    arrays = {
        f"{name}_{part}": of[rows]
        for part, rows in parts.items()
        for name, of in (("x", values), ("y", samples.labels), ("len", lengths))
    }
    np.savez(path, classes=np.array(samples.classes), **arrays)
    return path


@pytest.fixture(scope="module")
def run(file):
    return tacit.pretrain(str(file), "simclr", out=file.parent / "run", quiet=True, warmup=0, **SMALL)


def test_inspecting(file):
    said = str(inspect(str(file)))
    assert "120 time series" in said and "unequal" in said and "missing" in said and "4: rhythm 1" in said


def test_a_run_is_judged_and_told(run, file):
    found = tacit.evaluate(run, str(file))
    assert found.number("raw input", "knn") is not None and found.number("this encoder", "knn") is not None
    assert (run.path / "report.html").read_text().count("data:image/png") > 20
    assert found.number("raw input", "one_nearest").value > 0.2
    assert run.config.facts["kind"] == "series" and run.config.facts["shape"][0] == 3


def test_a_long_series_is_judged_by_forecasts_and_anomalies(tmp_path):
    time = np.arange(2400)
    marks = (abs(time - 2000) < 10).astype(np.uint8)
    series = (np.sin(time / 5) + 0.1 * np.sin(time) + 3 * marks * np.cos(time)).astype(np.float32)
    file = tmp_path / "long.npz"
    np.savez(file, x_train=series[:1200], x_test=series, y_test=marks)
    run = tacit.pretrain(str(file), "simclr", out=tmp_path / "run", quiet=True, warmup=0, **SMALL)
    found = tacit.evaluate(run, str(file))
    assert found.number("persistence", "forecast_mse_24").value > found.number("raw input", "forecast_mse_24").value
    assert found.number("raw input", "anomaly_auroc").value > 0.9 and found.number("raw input", "anomaly_found").value == 1
    assert "forecast" in (run.path / "report.html").read_text().lower()
    assert "windows" in str(inspect(str(file)))


def test_embedding_and_searching_by_a_file(run, file, tmp_path):
    table = tacit.embed(run, str(file), out=tmp_path / "rhythms.lance")
    with np.load(file) as arrays:
        x, length = arrays["x_test"][2], arrays["len_test"][2]
    np.savez(tmp_path / "query.npz", x=x[None, :, :length])
    hits = tacit.search(table, str(tmp_path / "query.npz"), top=3, sheet=tmp_path / "found.png")
    assert hits[0].id == "test/00002" and hits[0].score == pytest.approx(1, abs=1e-3)
    assert hits[0].thumbnail.startswith(b"\x89PNG") and Image.open(tmp_path / "found.png").width > 100


@pytest.mark.parametrize(("method", "columns"), [("simclr", 3), ("dino", 11)])
def test_a_sheet_of_views(file, tmp_path, method, columns):
    picture = np.asarray(Image.open(tacit.preview(str(file), method, out=tmp_path / "sheet.png", count=2, small_crops=-1)))
    assert picture.shape[1] == 12 + columns * 124
    for column in range(columns):
        assert (picture[27:139, 12 + 124 * column : 124 + 124 * column] != 255).any()


def test_samples_have_pictures():
    looks = _looks(rhythms(5), [3, 1])
    assert set(looks) == {1, 3} and all(picture.startswith(b"\x89PNG") for picture, _ in looks.values())


def test_two_views_of_a_series_teach_more_than_an_untrained_encoder_knows():
    case = Case(find("simclr"), SERIES)
    samples = case.materials["main"].samples
    assert neighbours(case.train().embed(), samples) > neighbours(untrained(case), samples) + 0.1


@pytest.mark.parametrize("key", ["swav", "dino"])
def test_small_views_are_learned_from(key):
    small = {"swav": {"prototypes": 12, "hidden": 64}, "dino": {"k": 32, "hidden": 64, "norm": True}}[key]
    z = Case(find(key), Toy(SERIES.data, {**SERIES.options, **small, "epochs": 2, "hold": {}})).train(steps=2).embed()
    assert z.shape[1] == 64 and z.isfinite().all()


def test_hidden_stretches_are_told_from_the_others():
    own = {"width": 48, "heads": 2, "depth": 2, "epochs": 8, "decoder_width": 32, "decoder_depth": 1, "decoder_heads": 2}
    case = Case(find("mae"), Toy(SERIES.data, {**SERIES.options, **own}))
    stage = case.first_stage()
    batch = stage.main.load(np.arange(128), 0)
    trained = case.train().method.eval()
    assert float(trained.step(batch).detach()) < 0.95 * float(stage.method.eval().step(batch).detach())
    assert trained.represent(batch).shape == (128, 48)


def test_patches_of_a_short_series_have_a_variance(tmp_path):
    samples = rhythms(60, length=24)
    content, _ = samples.read(np.arange(60))
    np.save(tmp_path / "short.npy", content.values.numpy())
    own = {"width": 24, "heads": 2, "depth": 1, "decoder_width": 16, "decoder_depth": 1, "decoder_heads": 2}
    run = tacit.pretrain(str(tmp_path / "short.npy"), "mae", out=tmp_path / "run", quiet=True, epochs=2, batch=16, **own)
    rows = map(json.loads, (run.path / "metrics.jsonl").read_text().splitlines())
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses and np.isfinite(losses).all()


def test_mistakes_are_one_sentence(file):
    with pytest.raises(tacit.TacitError, match="--size 32 is a side of images"):
        tacit.pretrain(str(file), "simclr", size=32)
    with pytest.raises(tacit.TacitError, match="holds series and was to be opened as image"):
        tacit.open(np.random.default_rng(0).normal(size=(1, 2, 90)), kind="series") and tacit.open(rhythms(9), kind="image")
