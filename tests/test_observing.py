"""Labels that are looked at while training: what is seen of them, and that nothing of it reaches what is learned."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from tacit.check import VECTORS, Case, killed_at
from tacit.config import Config
from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.evaluation.labelled.knn import knn
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.methods.contrast.simclr import SimCLR
from tacit.observing import BANK, QUERIES, drawn, observed_labels
from tacit.pretraining import pretrain, setting_of
from tacit.run import Run
from tacit.training import checkpoint
from tacit.training.setting import LOOKS
from tacit.views import Program
from tacit.views.kinds import Plain

ROWS = {"encoder": "mlp", "width": 16, "depth": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


def lines(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "samples_per_second"} for line in found]


def looks(folder):
    return [line for line in lines(folder) if "knn" in line]


def unlabelled(n=200):
    found = clusters(n, dim=16)
    found.labels = None
    return found


def weights(folder):
    return checkpoint.read(folder / "stage-0.safetensors")[0]


def test_labels_change_nothing_but_the_lines_that_tell_of_them(tmp_path):
    with_labels = pretrain(clusters(200, dim=16), out=tmp_path / "with", epochs=3, **ROWS)
    without = pretrain(unlabelled(), out=tmp_path / "without", epochs=3, **ROWS)
    assert with_labels.config.labels_observed == 160 and without.config.labels_observed == 0
    assert with_labels.config.labels_used == 0
    mine, other = weights(with_labels.path), weights(without.path)
    assert mine.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in mine.items())
    assert [line for line in lines(with_labels.path) if "knn" not in line] == lines(without.path)
    told = looks(with_labels.path)
    assert [(line["epoch"], line["step"]) for line in told] == [(0, 5), (1, 10), (2, 15)]
    assert all(set(line) == {"stage", "epoch", "step", "knn"} and 0 <= line["knn"] <= 1 for line in told)


class Moody(Method):
    """Draws noise, and holds a module in evaluation mode that it never sets again."""

    paper, recipe = Paper("Moody", "Tacit", 2026, "tests"), Recipe(batch=32, epochs=2, lr=1e-2)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.still = nn.Dropout(0.5)
        self.register_buffer("begun", torch.zeros(()))

    def before_epoch(self, embed):
        if not self.begun:
            self.still.eval()
            self.begun += 1

    def step(self, batch: Batch):
        z = self.encoder(batch.views[0])
        return (self.still(z) * torch.randn_like(z)).mean() + z.square().mean()

    def represent(self, batch: Batch):
        torch.randn(3)
        return self.encoder(batch.views[0])


def test_modes_and_generators_are_put_back(tmp_path):
    pretrain(clusters(200, dim=16), Moody, out=tmp_path / "with", **ROWS)
    pretrain(unlabelled(), Moody, out=tmp_path / "without", **ROWS)
    mine, other = weights(tmp_path / "with"), weights(tmp_path / "without")
    assert len(looks(tmp_path / "with")) == 2
    assert all(torch.equal(value, other[name]) for name, value in mine.items())


def test_the_number_is_evaluations_own(tmp_path):
    data = clusters(200, dim=16)
    run = pretrain(data, out=tmp_path / "run", epochs=1, **ROWS)
    seen = data.split("train")
    bank, asked = drawn(seen)
    z = torch.cat([run.encoder(view) for view in plain(run, seen)])
    labels = torch.from_numpy(seen.labels)
    expected = knn(z[bank], labels[bank], z[asked], labels[asked]).value
    assert looks(run.path)[-1]["knn"] == pytest.approx(expected)


def plain(run, samples):
    index = np.arange(len(samples))
    views, _ = Program(Plain(), run.views)(samples.read(index)[0], index, 0)
    return views


@pytest.mark.parametrize("epochs, every", [(1, 1), (LOOKS, 1), (LOOKS + 1, 2), (45, 3)])
def test_the_looks_are_few_and_the_last_is_among_them(epochs, every, tmp_path):
    pretrain(clusters(100, dim=16), out=tmp_path / "run", epochs=epochs, **ROWS)
    told = [line["epoch"] + 1 for line in looks(tmp_path / "run")]
    assert told == [epoch for epoch in range(1, epochs + 1) if (epochs - epoch) % every == 0]
    assert len(told) <= LOOKS and told[-1] == epochs


@pytest.mark.parametrize("step", [20, 22, 24, 40])
def test_a_resumed_run_writes_the_same_lines(step, tmp_path):
    """Killed where an epoch of 20 steps ends, when its number is told and then saved, and at the end."""
    case = Case(SimCLR, VECTORS, epochs=2)
    case.train(tmp_path / "whole", log_steps=2, save_seconds=0.0)
    killed_at(step, 0, lambda: case.train(tmp_path / "killed", log_steps=2, save_seconds=0.0))
    case.train(tmp_path / "killed", log_steps=2, save_seconds=0.0)
    assert len(looks(tmp_path / "whole")) == 2
    assert lines(tmp_path / "killed") == lines(tmp_path / "whole")


def watched(folder):
    case, said = Case(SimCLR, VECTORS, epochs=2), []
    (own,) = setting_of(case.config, case.materials, None, quiet=True).observers

    def noted(method, autocast, now):
        said.append(own(method, autocast, now))
        return said[-1]

    case.train(folder, observers=(noted,))
    return said


def test_two_processes_agree(pair, tmp_path):
    one, two = pair.run(watched, tmp_path)
    assert one == two and len(one) == 2
    assert [line["knn"] for line in looks(tmp_path)] == [said["knn"] for said in one]


class Odd(Method):
    """What it represents is no table."""

    paper, recipe = Paper("Odd", "Tacit", 2026, "tests"), Recipe(batch=32, epochs=1)

    def __init__(self, encoder: Encoder, *, how: str = "maps"):
        super().__init__(encoder)
        self.how = how

    def step(self, batch: Batch):
        return self.encoder(batch.views[0]).square().mean()

    def represent(self, batch: Batch):
        z = self.encoder(batch.views[0])
        return {"maps": z[:, None], "nan": z * float("nan"), "curved": z}[self.how]


@pytest.mark.parametrize("how", ["maps", "nan", "curved"])
def test_what_has_no_neighbours_is_passed_over(how, tmp_path, monkeypatch):
    if how == "curved":
        monkeypatch.setattr(Odd, "similarity", "hyperbolic")
    pretrain(clusters(200, dim=16), Odd, out=tmp_path / "run", how=how, **ROWS)
    assert looks(tmp_path / "run") == []


def test_what_is_drawn():
    many = clusters(4000, dim=16)
    bank, asked = drawn(many)
    assert (len(bank), len(asked)) == (BANK, QUERIES) and not set(bank) & set(asked)
    many.labels[1000:] = -1
    bank, asked = drawn(many)
    assert (len(bank), len(asked)) == (667, 333) and max(*bank, *asked) < 1000
    many.labels[29:] = -1
    assert observed_labels(many) == 0
    alike = clusters(200, dim=16)
    alike.labels[:] = 3
    assert observed_labels(alike) == 0 == observed_labels(unlabelled())


def test_snapshots_are_evenly_spaced_and_open_as_runs(tmp_path):
    run = pretrain(unlabelled(), "simclr", out=tmp_path / "run", epochs=6, snapshots=3, **ROWS)
    assert run.snapshots == ["stage-1-epoch-2", "stage-1-epoch-4", "stage-1-epoch-6"]
    early, late = (Run(run.path, snapshot=name).embed(unlabelled()) for name in (run.snapshots[0], run.snapshots[-1]))
    assert torch.equal(late, run.embed(unlabelled())) and not torch.equal(early, late)
    with pytest.raises(TacitError, match="no snapshot"):
        Run(run.path, snapshot="stage-1-epoch-3")


def test_snapshots_change_nothing_and_survive_a_kill(tmp_path):
    plain = pretrain(unlabelled(), "simclr", out=tmp_path / "plain", epochs=3, **ROWS)
    kept = pretrain(unlabelled(), "simclr", out=tmp_path / "kept", epochs=3, snapshots=50, **ROWS)
    assert len(kept.snapshots) == 3 and not plain.snapshots
    for name, tensor in plain.encoder.state_dict().items():
        assert torch.equal(tensor, kept.encoder.state_dict()[name])
    assert Config.read(kept.path).snapshots == 50  # what a resumed run goes by


def test_a_negative_number_of_snapshots_is_refused(tmp_path):
    with pytest.raises(TacitError, match="--snapshots is -1"):
        pretrain(unlabelled(), "simclr", out=tmp_path / "run", snapshots=-1, **ROWS)
    assert not (tmp_path / "run").exists()
