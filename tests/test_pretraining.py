"""`pretrain`, end to end on small sets: what is chosen, run again, gone on with, fitted to a time, and opened again."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from tacit import pretraining, timing
from tacit.config import Config, named_recipe
from tacit.data.generated import clusters, pairs, tiny_images, write
from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Method, Paper, Recipe, Stop
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.negatives.g_simclr import DenoisingAutoencoder
from tacit.pretraining import pretrain, wanted
from tacit.run import Run
from tacit.timing import fit_time
from tacit.training import checkpoint
from tests.contracts.probes import Curved, FewLabels, FreshStage, Mined, Origin, PlannedBatches, Solved, TwoDomains

QUICK = {"device": "cpu", "precision": "fp32", "quiet": True}
SMALL = {"encoder": "small_resnet", "width": 8, "epochs": 1, "batch": 32, **QUICK}
ROWS = {"encoder": "mlp", "width": 16, "depth": 1, "epochs": 1, "batch": 32, **QUICK}


def weights(run):
    return checkpoint.read(run.path / "encoder.safetensors")[0]


def equal(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def rows(tmp_path):
    """An archive of 160 vectors for training and 40 for testing."""
    samples = clusters(200, dim=16)
    parts = {name: samples.split(name) for name in ("train", "test")}
    values = {f"x_{name}": part.read(np.arange(len(part)))[0].values.numpy() for name, part in parts.items()}
    np.savez(tmp_path / "rows.npz", **values, **{f"y_{name}": part.labels for name, part in parts.items()})
    return tmp_path / "rows.npz"


# ---- what is chosen, and said ----


def test_a_run_says_everything_that_was_chosen(trained, cloth):
    config = trained.config
    assert (config.method, config.encoder, config.encoder_options) == ("simclr", "small_resnet", {"width": 8})
    assert config.options == {} and config.recipe == {"epochs": 1, "batch": 32} and config.recipe_name == "small"
    data = {"source": str(cloth), "kind": "image", "split": "all", "samples": 96, "corrupt": []}
    assert {name: value for name, value in config.data.items() if name != "ids"} == data
    assert set(config.data["ids"]) == {"main"}
    assert (config.labels_used, config.seed, config.device, config.precision) == (0, 0, "cpu", "fp32")
    assert any("recipe 'small'" in said and "96 samples" in said for said in config.chosen)
    assert {file.name for file in trained.path.iterdir()} >= {"run.yaml", "encoder.safetensors", "stage-0.safetensors"}
    lines = [json.loads(line) for line in (trained.path / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["knn" if "knn" in line else "loss"]) for line in lines[1:]) and "loss" not in lines[0]


def test_what_the_user_left_open_is_chosen_with_its_reason(rows, tmp_path):
    run = pretrain(rows, out=tmp_path / "run", epochs=1, **QUICK)
    assert run.config.encoder == "mlp" and run.config.recipe["batch"] == 64 and run.config.data["split"] == "train"
    for said in ("The encoder mlp, since", "The recipe 'small'", "Batches of 64, since there are 160 samples"):
        assert any(sentence.startswith(said) for sentence in run.config.chosen)


def test_a_batch_that_was_given_stays(rows, tmp_path):
    assert pretrain(rows, out=tmp_path / "run", **{**ROWS, "batch": 150}).config.recipe["batch"] == 150
    with pytest.raises(TacitError, match="batch"):
        pretrain(rows, out=tmp_path / "other", **{**ROWS, "batch": 1000})
    assert not (tmp_path / "other").exists()


def test_the_papers_recipe_runs_with_lars(cloth, tmp_path):
    run = pretrain(cloth, recipe="paper", out=tmp_path / "run", **SMALL)
    assert run.config.recipe_name == "paper" and not any("recipe" in said for said in run.config.chosen)
    assert named_recipe(SimCLR, "paper", 96)[1].optimizer == "lars"
    tensors, _ = checkpoint.read(run.path / "stage-0.safetensors")
    assert all(value.isfinite().all() for value in tensors.values() if value.is_floating_point())


@pytest.mark.parametrize("name", ["paper", "small"])
def test_a_named_recipe_is_that_of_every_stage(cloth, tmp_path, name):
    own = {**SMALL, "batch": 8, "warmup": 0, "schedule": "constant"}
    run = pretrain(cloth, "g_simclr", recipe=name, clusters=8, out=tmp_path / "run", **own)
    first = next(line for line in map(json.loads, (run.path / "metrics.jsonl").open()) if "loss" in line)
    assert first["stage"] == 0 and first["lr"] == named_recipe(DenoisingAutoencoder, name, 96)[1].lr


def test_a_stage_of_larger_batches_than_samples_has_smaller_ones(tmp_path):
    """SCAN's last stage, by the paper in batches of 1 000, of which 600 samples fill none."""
    few = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
    run = pretrain(
        few, "scan", recipe="paper", epochs=1, width=8, depth=1, clusters=4, device="cpu", quiet=True, out=tmp_path / "a"
    )
    assert run.config.recipe.get("batch") is None
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").open()]
    assert {line["stage"] for line in lines} == {0, 1, 2}


@pytest.mark.parametrize("name, n, found", [(None, 10, "small"), (None, 10**5, "paper"), ("paper", 10, "paper")])
def test_which_recipe_is_taken(name, n, found):
    assert named_recipe(SimCLR, name, n) == (found, SimCLR.recipe if found == "paper" else SimCLR.recipes[found])
    assert named_recipe(Mined, None, n) == ("paper", Mined.recipe)  # it has no other


def test_a_recipe_that_there_is_not():
    with pytest.raises(TacitError, match="no recipe 'smal'; did you mean 'small'"):
        named_recipe(SimCLR, "smal", 10)


def test_which_encoder_a_method_wants():
    assert wanted(SimCLR) is Encoder and wanted(Origin) is None and wanted(Curved).__name__ == "Dual"
    named = {name: getattr(SimCLR, name) for name in ("paper", "views", "recipe", "step")}
    assert wanted(type("Bare", (Method,), named)) is Encoder
    assert wanted(type("Silent", (Method,), {**named, "__init__": lambda self, encoder: None})) is Encoder


def test_labels_count_where_a_stream_declares_them(tmp_path):
    few = clusters(40, dim=16)
    few.labels[:10] = -1
    data = clusters(200, dim=16)
    run = pretrain(data, FewLabels, streams={"labelled": few}, out=tmp_path / "few", **ROWS)
    assert run.config.labels_used == int((few.split("train").labels >= 0).sum())
    assert run.config.streams == {"labelled": "generated clusters"}
    assert pretrain(data, out=tmp_path / "none", **ROWS).config.labels_used == 0
    few.labels[:] = -1
    with pytest.raises(TacitError, match="No sample of generated clusters has a label"):
        pretrain(data, FewLabels, streams={"labelled": few}, out=tmp_path / "without", **ROWS)


def test_a_run_with_two_streams_is_run_again(rows, tmp_path):
    run = pretrain(rows, FewLabels, labelled=str(rows), out=tmp_path / "run", **ROWS)
    assert run.config.streams == {"labelled": str(rows)} and run.config.labels_used == 160
    again = pretrain(run.path / "run.yaml", out=tmp_path / "again", quiet=True)
    assert equal(weights(run), weights(again))
    with pytest.raises(TacitError, match="no stream 'labeled'; did you mean 'labelled'"):
        pretrain(run.path / "run.yaml", streams={"labeled": rows}, out=tmp_path / "third", quiet=True)


def test_a_stream_that_was_not_given(tmp_path):
    with pytest.raises(TacitError, match="TwoDomains also learns from a stream 'other'; give its source as --other DATA"):
        pretrain(clusters(200, dim=16), TwoDomains, out=tmp_path / "run", **ROWS)
    assert not (tmp_path / "run").exists()


def test_corrupt_files_are_listed(tmp_path):
    write(tiny_images(150), tmp_path / "photos")
    spoilt = sorted((tmp_path / "photos" / "train").rglob("*.png"))[5]
    spoilt.write_bytes(b"no image")
    run = pretrain(tmp_path / "photos", out=tmp_path / "run", **SMALL)
    assert run.config.data["samples"] == run.facts.n == 119
    (listed,) = run.config.data["corrupt"]
    assert listed.startswith(f"{spoilt.relative_to(tmp_path / 'photos')}: ")


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"temprature": 1}, "did you mean 'temperature'"),
        ({"devices": 0}, "--devices is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"method": "simcrl"}, "did you mean 'simclr'"),
        ({"encoder": "small_resnt"}, "did you mean 'small_resnet'"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"minutes": -1}, "--minutes is -1"),
        ({"minutes": 0}, "--minutes is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
    ],
)
def test_what_is_refused_leaves_no_folder(cloth, tmp_path, wrong, words):
    with pytest.raises(TacitError, match=words):
        pretrain(cloth, **{"method": "simclr", **SMALL, **wrong}, out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_train_on():
    with pytest.raises(TacitError, match="Nothing to train on"):
        pretrain()


# ---- again ----


def test_a_run_that_is_run_again_has_the_same_weights(trained, tmp_path):
    again = pretrain(trained.path / "run.yaml", out=tmp_path / "again", quiet=True)
    assert equal(weights(trained), weights(again))
    assert again.config == trained.config and again.fingerprint() == trained.fingerprint()


def test_another_seed_gives_other_weights(trained, cloth, tmp_path):
    other = pretrain(cloth, out=tmp_path / "run", seed=np.int64(1), **SMALL)
    assert other.config.seed == 1 and not equal(weights(trained), weights(other))


def test_data_that_are_gone_are_named(tmp_path):
    run = pretrain(clusters(200, dim=16), out=tmp_path / "run", **ROWS)
    with pytest.raises(TacitError, match="The run learns from generated clusters, which is not there"):
        pretrain(run.path / "run.yaml", out=tmp_path / "again")


def test_a_run_is_run_again_as_it_is_configured(trained, cloth, tmp_path):
    with pytest.raises(TacitError, match="leave --epochs out"):
        pretrain(trained.path / "run.yaml", out=tmp_path / "again", epochs=3)
    with pytest.raises(TacitError, match="holds another run already"):
        pretrain(trained.path / "run.yaml", out=trained.path)
    with pytest.raises(TacitError, match="holds another run already"):
        pretrain(cloth, out=trained.path, **SMALL)


# ---- going on ----


class Breaks(Method):
    """Fails before its second epoch, while `broken` is set."""

    paper = Paper("Breaks", "Tacit", 2026, "tests")
    recipe = Recipe(lr=1e-3)
    broken = False

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def before_epoch(self, embed):
        if self.broken and self.progress > 0:
            raise TacitError("It broke; mend it.")

    def step(self, batch: Batch):
        return self.encoder(batch.views[0]).square().mean()


def test_what_broke_is_gone_on_with(rows, tmp_path, monkeypatch):
    options = {**ROWS, "epochs": 2}
    whole = pretrain(rows, Breaks, out=tmp_path / "whole", **options)
    monkeypatch.setattr(Breaks, "broken", True)
    with pytest.raises(TacitError, match="It broke"):
        pretrain(rows, Breaks, out=tmp_path / "run", **options)
    with pytest.raises(TacitError, match="has not finished; go on with"):
        Run(tmp_path / "run")
    monkeypatch.setattr(Breaks, "broken", False)
    with pytest.raises(TacitError, match="holds another run already"):
        pretrain(rows, Breaks, out=tmp_path / "run", **options)
    np.savez(tmp_path / "fewer.npz", x_train=np.ones((120, 16), np.float32))
    with pytest.raises(TacitError, match="holds 120 samples now and held 160 when the run began; restore it"):
        pretrain(tmp_path / "fewer.npz", out=tmp_path / "run", resume=True, quiet=True)
    run = pretrain(out=tmp_path / "run", resume=True, quiet=True)
    assert equal(weights(run), weights(whole))


def test_resuming_a_finished_run_returns_it(rows, tmp_path):
    run = pretrain(rows, out=tmp_path / "run", **ROWS)
    before = {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()}
    rows.unlink()  # nothing of it is needed any more
    again = pretrain(out=run.path, resume=True, quiet=True)
    assert again.fingerprint() == run.fingerprint()
    assert {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()} == before


def test_resuming_takes_a_folder_and_nothing_else(trained, tmp_path):
    with pytest.raises(TacitError, match="give --out"):
        pretrain(resume=True)
    with pytest.raises(TacitError, match="leave --epochs out"):
        pretrain(out=trained.path, resume=True, epochs=9)
    with pytest.raises(TacitError, match="holds no run"):
        pretrain(out=tmp_path, resume=True)


@pytest.mark.parametrize(
    "other, words",
    [
        ({"seed": 1}, "--seed is 1 and the run was configured with 0; leave it out, or start a new run"),
        ({"method": "npid"}, "--method is npid and the run was configured with simclr"),
        ({"method": "npdi"}, "did you mean 'npid'"),
        ({"device": "cuda"}, "--device is cuda and the run was configured with cpu"),
        ({"precision": "bf16"}, "--precision is bf16 and the run was configured with fp32"),
        ({"kind": "vector"}, "--kind is vector and the run was configured with image"),
    ],
)
def test_what_is_not_as_the_run_has_it_is_refused(trained, tmp_path, other, words):
    with pytest.raises(TacitError, match=words):
        pretrain(out=trained.path, resume=True, **other)
    with pytest.raises(TacitError, match=words):
        pretrain(trained.path / "run.yaml", out=tmp_path / "again", **other)
    assert list(tmp_path.iterdir()) == []


def test_what_is_a_default_elsewhere_is_refused_here_too(cloth, tmp_path):
    run = pretrain(cloth, "simclr", out=tmp_path / "run", seed=3, epochs=1, batch=32, width=4, depth=[1], **QUICK)
    with pytest.raises(TacitError, match="--seed is 0 and the run was configured with 3"):
        pretrain(out=run.path, resume=True, seed=0)
    with pytest.raises(TacitError, match="leave --minutes, --size out"):
        pretrain(out=run.path, resume=True, minutes=0, size=0)


def test_a_finished_run_refuses_other_data(trained, tmp_path):
    with pytest.raises(TacitError, match="nowhere"):
        pretrain("nowhere", out=trained.path, resume=True)
    assert pretrain(trained.config.data["source"], out=trained.path, resume=True).fingerprint() == trained.fingerprint()


def test_what_is_as_the_run_has_it_may_be_said(trained):
    same = {"method": SimCLR, "seed": np.int64(0), "device": "cpu", "precision": "fp32", "kind": "image"}
    assert pretrain(out=trained.path, resume=True, **same).fingerprint() == trained.fingerprint()


# ---- going on from what another learned ----


class Looks(Method):
    """Keeps the weights it was given, and stops."""

    paper = Paper("Looks", "Tacit", 2026, "tests")
    recipe = Recipe(epochs=1)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def before_epoch(self, embed):
        return Stop("it has seen enough")

    def step(self, batch: Batch):
        raise AssertionError("it stopped before")


@pytest.mark.parametrize("as_run", [True, False])
def test_training_goes_on_from_a_run(trained, cloth, tmp_path, as_run):
    init = trained if as_run else trained.path
    run = pretrain(cloth, Looks, init=init, out=tmp_path / "run", batch=32, **QUICK)
    assert equal(weights(run), weights(trained))
    assert (run.config.encoder, run.config.encoder_options) == ("small_resnet", {"width": 8})  # they come with it
    assert run.config.init == str(trained.path)
    assert not equal(weights(pretrain(cloth, Looks, out=tmp_path / "fresh", **SMALL)), weights(trained))


def test_weights_that_cannot_be_had_are_one_sentence(cloth, tmp_path, monkeypatch):
    import timm

    create = timm.create_model

    def offline(name, pretrained=False, **about):
        if pretrained:
            raise ConnectionError("no route to the hub")
        return create(name, **about)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(TacitError, match=r"weights of timm/test_resnet could not be loaded .*no route to the hub"):
        pretrain(cloth, init="timm/test_resnet", out=tmp_path / "run", epochs=1, batch=32, **QUICK)
    assert list(tmp_path.iterdir()) == []


def test_a_method_without_an_encoder_takes_no_weights(trained, tmp_path):
    for given in ({"init": trained}, {"encoder": "mlp"}):
        with pytest.raises(TacitError, match=r"Origin has no encoder .*leave --encoder and --init out"):
            pretrain(clusters(200, dim=16), Origin, out=tmp_path / "run", epochs=1, batch=32, **QUICK, **given)


# ---- in a given time ----


@pytest.fixture
def clock(monkeypatch):
    """Trials that take 0.5 s and 0.1 s a step, by a clock that only they move; the first of all takes 7 s more."""
    now = {"time": 0.0, "cold": 7.0}
    trials = []

    def train(story, setting, encoder):
        (stage,) = story
        recipe = setting.recipe(stage)
        steps = min(setting.most_steps, recipe.epochs * (recipe.epoch_batches or setting.facts.n // recipe.batch))
        trials.append(steps)
        now["time"] += now["cold"] + 0.5 + 0.1 * steps
        now["cold"] = 0.0

    monkeypatch.setattr(timing, "train", train)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now["time"]))
    return trials


@pytest.mark.parametrize("epochs", [{}, {"epochs": 1}])
@pytest.mark.parametrize(
    "minutes, found",
    [
        (2.01, {"epochs": 229, "warmup": 2}),  # 0.95 · 120.6 s are 1145 steps, of which an epoch has 5
        (0.1, {"epochs": 11, "warmup": 1.1}),
        (0.005, {"epochs": 1, "epoch_batches": 2, "warmup": 0.1}),
    ],
)
def test_schedules_fit_the_time(clock, rows, minutes, found, epochs):
    config, materials = pretraining.choose(
        rows, SimCLR, "mlp", None, None, {}, 0, "cpu", "fp32", 1, None, None, {"width": 16, "batch": 32, **epochs}
    )
    setting = pretraining.setting_of(config, materials, None, True)
    chosen = fit_time(SimCLR, config.options, setting, lambda: pretraining.initial(config, setting), minutes)
    assert chosen == pytest.approx(found)
    assert len(set(clock)) > 1  # the trials were of different length, however short the schedule was


def test_a_run_in_a_given_time(rows, tmp_path):
    run = pretrain(rows, out=tmp_path / "run", minutes=0.05, **{k: v for k, v in ROWS.items() if k != "epochs"})
    chosen = run.config.recipe
    assert chosen["epochs"] >= 1 and chosen["warmup"] <= max(chosen["epochs"] / 10, 0.1)
    assert any(said.startswith("0.05 minutes allow epochs") for said in run.config.chosen)
    steps = checkpoint.read(run.path / "stage-0.safetensors")[1]["at"]["step"]
    assert steps == chosen["epochs"] * chosen.get("epoch_batches", 5)


# ---- opened again ----


def reopened(monkeypatch, data, method, out, **options):
    """A run, and what its last stage embedded before anything was opened."""
    kept = []
    real = pretraining.train

    def train(*args):
        kept.append(real(*args))
        return kept[-1]

    monkeypatch.setattr(pretraining, "train", train)
    run = pretrain(data, method, out=out, **{**QUICK, "batch": 32, **options})
    return Run(run.path, "cpu"), kept[-1].embed()


@pytest.mark.parametrize(
    "method, data, options",
    [
        (Curved, lambda: pairs(200, dim=8), {}),
        (Origin, lambda: clusters(200, dim=16), {"dim": 4}),
        (Solved, lambda: clusters(200, dim=16), {}),
        (FreshStage, lambda: clusters(200, dim=16), {"encoder": "mlp", "width": 16, "clusters": 5, "batch": 16}),
        (SimCLR, lambda: tiny_images(120), {"encoder": "small_resnet", "width": 8}),
    ],
)
def test_what_is_opened_represents_as_what_was_trained(monkeypatch, tmp_path, method, data, options):
    source = data()
    trained = {} if method is Solved else {"epochs": 2}
    run, before = reopened(monkeypatch, source, method, tmp_path / "run", **trained, **options)
    torch.testing.assert_close(run.embed(source.split("train"), batch=50), before, rtol=1e-5, atol=1e-5)
    assert (run.method is None) == (method.represent is Method.represent)
    if method in (Origin, Solved):
        assert run.encoder is None and run.config.encoder == ""


def test_stages_lie_beside_each_other(monkeypatch, tmp_path):
    options = {"encoder": "mlp", "width": 16, "clusters": 5, "batch": 16}
    run, _ = reopened(monkeypatch, clusters(200, dim=16), FreshStage, tmp_path / "run", **options)
    assert run.config.options == {"clusters": 5}
    (first, _), (second, saved) = (checkpoint.read(run.path / f"stage-{number}.safetensors") for number in (0, 1))
    assert saved["method"].endswith(":FreshStage") and second["option/codes"].max() == 4 and "option/codes" not in first
    assert PlannedBatches.__name__ in checkpoint.read(run.path / "stage-0.safetensors")[1]["method"]


def test_run_yaml_is_plain(trained):
    saved = yaml.safe_load((trained.path / "run.yaml").read_text())
    assert Config(**saved) == trained.config


def test_a_copy_of_a_run_is_the_run(trained, cloth, tmp_path):
    shutil.copytree(trained.path, tmp_path / "copy")
    assert torch.equal(Run(tmp_path / "copy", "cpu").embed(cloth), trained.embed(cloth))
