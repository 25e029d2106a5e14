"""What the loop promises beyond single parts: the end of a stage, numbers that are lost, plans, what is renewed."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from tacit.check import VECTORS, Case, Toy
from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Method, Paper, Plan, Recipe, Stage
from tacit.methods import find
from tacit.pretraining import initial, setting_of
from tacit.training.checkpoint import read
from tacit.training.loop import Training, train
from tacit.training.stopping import Interrupted
from tacit.views.kinds import Single

PAPER = Paper("Probe", "Tacit", 2026, "tests")


class Lost(Method):
    """Its loss, or its gradient, is no number from a step on; it may ask for a stop there."""

    paper, views, recipe = PAPER, Single(), Recipe(batch=64, epochs=2)

    def __init__(self, encoder: Encoder, *, at: int = 4, gradient: bool = False, stop: bool = False):
        super().__init__(encoder)
        self.at, self.gradient, self.stop = at, gradient, stop
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def step(self, batch: Batch):
        loss = self.encoder(batch.views[0]).square().mean()
        self.seen += 1
        if self.seen == self.at:
            if self.stop:
                os.kill(os.getpid(), signal.SIGTERM)
            return (loss - loss.detach()).sqrt() if self.gradient else loss * float("nan")
        return loss


@pytest.mark.parametrize("stop", [False, True])
@pytest.mark.parametrize("gradient", [False, True])
def test_what_is_no_number_is_never_saved(gradient, stop, tmp_path):
    """Lost off the beat, in the last step or where a stop is asked for."""
    case = Case(Lost, VECTORS, gradient=gradient, stop=stop)
    with pytest.raises(TacitError, match="weights became" if gradient else "loss became nan at step 4"):
        case.train(tmp_path, steps=9 if stop else 4, save_seconds=0.0)
    tensors, _ = read(tmp_path / "stage-0.safetensors")
    assert all(torch.isfinite(value).all() for value in tensors.values())


class AskedAtTheEnd(Method):
    """Its first stage is asked to stop behind its last safe point."""

    paper, views, recipe = PAPER, Single(), Recipe(batch=64, epochs=1)

    @classmethod
    def stages(cls):
        yield Stage(cls)
        yield Stage(cls)

    def step(self, batch):
        return self.encoder(batch.views[0]).square().mean()


def test_a_stop_behind_the_last_line_of_a_stage_is_not_forgotten(monkeypatch):
    ran = Training.run

    def run(self):
        trained = ran(self)
        self.stopping.asked = True
        return trained

    monkeypatch.setattr(Training, "run", run)
    with pytest.raises(Interrupted):
        Case(AskedAtTheEnd, VECTORS).train()


def test_a_stop_asked_for_in_the_last_stage_has_nothing_to_stop(monkeypatch):
    ran = Training.run

    def run(self):
        trained = ran(self)
        self.stopping.asked = self.number == 1
        return trained

    monkeypatch.setattr(Training, "run", run)
    assert isinstance(Case(AskedAtTheEnd, VECTORS).train().method, AskedAtTheEnd)


def test_other_batches_than_asked_are_said(tmp_path, capsys):
    case = Case(find("npid"), Toy(VECTORS.data, {**VECTORS.options, "negatives": 0, "batch": 33, "accumulate": 4, "epochs": 1}))
    setting = replace(setting_of(case.config, case.materials, None, quiet=False), most_steps=1)
    train(case.cls.stages(**case.config.options), setting, initial(case.config, setting))
    assert "Batches of 32 and not of 33, so that 4 shares are alike." in capsys.readouterr().err


def test_the_last_steps_are_logged(tmp_path):
    Case(Lost, VECTORS, at=-1).train(tmp_path, steps=13)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 10, 13]


class Renewing(Method):
    """Begins its head anew before every epoch."""

    paper, views, recipe = PAPER, Single(), Recipe(batch=64, epochs=2)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, 1)

    def before_epoch(self, embed):
        self.renew(self.head)
        return Plan(weights=torch.ones(3))

    def step(self, batch: Batch):
        return self.head(self.encoder(batch.views[0])).square().mean()


def test_what_is_renewed_before_an_epoch_is_forgotten_at_once(monkeypatch):
    monkeypatch.setattr(Renewing, "before_epoch", lambda self, embed: self.renew(self.head))
    stage = Case(Renewing, VECTORS).first_stage()
    stage.open_epoch()
    stage.batch([stage.main.load(stage.main.order(0)[0], 0)], 0.0)
    weight = stage.method.head.weight
    assert weight in stage.optimizer.state
    stage.at.planned = False
    stage.open_epoch()
    assert weight not in stage.optimizer.state and stage.method.renewed == []


def test_a_plan_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"Plan\(weights=…\) takes 1024 numbers"):
        Case(Renewing, VECTORS).first_stage().open_epoch()


def test_a_stage_closes_what_it_opened(tmp_path):
    stage = Case(Lost, VECTORS, at=-1, epochs=1).first_stage()
    stage.run()
    assert stage.main.reader._shutdown and stage.journal.board is None and stage.journal.bar is None


def test_what_all_samples_share_reaches_every_batch():
    case = Case(Lost, VECTORS)
    case.materials["main"].samples.context = torch.arange(3)
    stage = case.first_stage()
    assert stage.main.load(stage.main.order(0)[0], 0).context.tolist() == [0, 1, 2]
