"""What must not pass in silence: labels that no method declares, encoders that lack what is wanted, other data on resume."""

import numpy as np
import pytest
from torch.nn.functional import cross_entropy

from tacit.data.generated import clusters, tiny_images, write
from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Labelled, Method, Paper, Recipe, Stage, Tokens
from tacit.pretraining import pretrain
from tacit.views.kinds import Single

QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


class Supervised(Method):
    """Learns from labels, which it declares."""

    paper = Paper("Probe: labels", "Tacit", 2026, "tests")
    streams = {"main": Labelled(batch=32)}
    recipe = Recipe(batch=32)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    def step(self, batch: Batch):
        return cross_entropy(self.encoder(batch.views[0]), batch.labels)


class Smuggler(Method):
    """Declares no labels, and yields a stage that wants some."""

    paper = Paper("Probe: labels by the back door", "Tacit", 2026, "tests")
    views = Single()
    recipe = Recipe(batch=32)

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)

    @classmethod
    def stages(cls):
        yield Stage(Supervised)


class ByPatch(Method):
    """Wants one vector per patch."""

    paper = Paper("Probe: tokens", "Tacit", 2026, "tests")
    views = Single()
    recipe = Recipe(batch=32)

    def __init__(self, encoder: Tokens):
        super().__init__(encoder)

    def step(self, batch: Batch):
        return self.encoder.tokens(batch.views[0]).square().mean()


def test_a_stage_cannot_see_labels_that_the_method_does_not_declare(tmp_path):
    with pytest.raises(TacitError, match="wants labels as 'main', which it does not declare"):
        pretrain(clusters(200, dim=16), Smuggler, out=tmp_path / "run", width=16, **QUICK)
    assert pretrain(clusters(200, dim=16), Supervised, out=tmp_path / "own", width=16, **QUICK).config.labels_used == 160


def test_an_encoder_without_what_the_method_wants_is_named(tmp_path):
    with pytest.raises(TacitError, match="wants Tokens and the encoder SmallResNet has no tokens"):
        pretrain(tiny_images(100), ByPatch, out=tmp_path / "run", encoder="small_resnet", width=8, **QUICK)


def test_other_data_on_resume_are_refused(tmp_path):
    images = tmp_path / "images"
    write(tiny_images(60), images)
    run = pretrain(images, out=tmp_path / "run", width=8, **QUICK)
    (run.path / "encoder.safetensors").unlink()
    first = min((images / "train").rglob("*.png"))
    first.rename(first.with_name("renamed.png"))
    with pytest.raises(TacitError, match="holds other samples than when the run began"):
        pretrain(resume=True, out=run.path, quiet=True)


def test_raw_images_are_compared_as_tiny_images():
    import torch

    from tacit.representing import _raw

    assert _raw(torch.rand(2, 3, 64, 64)).shape == (2, 3 * 32 * 32)
    small = torch.rand(2, 3, 28, 28)
    assert np.array_equal(_raw(small), small.flatten(1))
